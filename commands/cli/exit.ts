// Exit codes and the one line that an error becomes.
import { CodedError, type CoreCode, errorText } from '../../core/api/errors.js'
import { exitCodes } from '../../core/api/tool.js'
import { say, settings, talkColour, visible } from './io.js'

export { exitCodes }

export const exitCodeHelp = `
Exit codes:
  0 done   1 failed at run time   2 wrong usage or invalid file
  3 not reachable or timed out   4 refused (ERR answer)
  5 finished with findings (check)   130/143 ended by a signal`

const usage = new Set<string>([
  'CLI_USAGE', 'FILE_READ', 'CONFIG_FILE', 'COMMAND_JSON',
  'PLUGIN_NOT_FOUND', 'PLUGIN_MANIFEST', 'PLUGIN_API', 'PLUGIN_DUPLICATE_ID', 'PLUGIN_SCHEMA', 'PLUGIN_OPTIONS',
  'FILE_PATH'
] satisfies CoreCode[]) // prettier-ignore
const unreachable = new Set<string>([
  'KAFKA_UNREACHABLE', 'KAFKA_AUTH', 'KAFKA_NONE', 'COMMAND_TIMEOUT'
] satisfies CoreCode[]) // prettier-ignore

export function exitCodeOf(error: unknown): number {
  if (!(error instanceof CodedError)) return exitCodes.failed
  if (usage.has(error.code) || error.code.endsWith('_INVALID')) return exitCodes.usage
  return unreachable.has(error.code) ? exitCodes.unreachable : exitCodes.failed
}

/** What to try when the message cannot say it. */
const hints: Readonly<Record<string, string>> = {
  KAFKA_UNREACHABLE: "is the address right and the broker up? 'nexstream kafka' starts one for trying things",
  KAFKA_AUTH: 'check [kafka] of the config: security_protocol, sasl, ssl'
} satisfies Partial<Record<CoreCode, string>>

/** Says an error in one line, with the stack only when asked for (-v). */
export function report(error: unknown): void {
  const code = error instanceof CodedError ? error.code : 'INTERNAL'
  const message = errorText(error)
  const path = error instanceof CodedError && error.path !== undefined ? ` at ${error.path}` : ''
  const hint = code === 'INTERNAL' && !settings.verbose ? ' (run again with -v for the stack)' : ''
  process.stderr.write(`${talkColour.red(`${code}:`)} ${visible(message.replaceAll('\n', ' ') + path)}${hint}\n`)
  if (error instanceof CodedError && hints[error.code] !== undefined) say(`hint: ${hints[error.code]}`)
  if (settings.verbose && error instanceof Error) say(error.stack ?? '')
}
