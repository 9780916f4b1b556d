// `nexstream send`, `start` and `stop`: one command, its answer.
import { CodedError } from '../api/errors.js'
import { readJson } from '../api/json.js'
import { type Command } from '../api/plugin.js'
import { askOnce, type CommandFlags, showAnswer } from './command-client.js'
import { readInput } from './input.js'
import { parseMoment, zoned } from './parse.js'

/** Sends the command in a JSON file (`-`: standard input). */
export async function send(file: string, flags: CommandFlags): Promise<number> {
  return showAnswer(await askOnce(parseCommand(await readInput(file), file), flags), flags.json)
}

/** Throws COMMAND_JSON for anything but an object with `cmd`. */
function parseCommand(bytes: Buffer, file: string): Command {
  const value = parseJson(bytes, file)
  if (typeof value === 'object' && value !== null && typeof (value as Command).cmd === 'string') return value as Command
  throw new CodedError('COMMAND_JSON', `${file}: a command is a JSON object with a string 'cmd'`, { path: '/cmd' })
}

function parseJson(bytes: Buffer, file: string): unknown {
  try {
    return readJson(bytes.toString('utf8'))
  } catch (cause) {
    throw new CodedError('COMMAND_JSON', `${file} is no valid JSON: ${(cause as Error).message}`, { cause })
  }
}

/** `nexstream start SERVICE key=value list=@file.json stop_time=+10min`. */
export async function command(
  cmd: string,
  service: string | undefined,
  pairs: readonly string[],
  flags: CommandFlags
): Promise<number> {
  return showAnswer(await askOnce(await buildCommand(cmd, service, pairs), flags), flags.json)
}

/** Values are JSON, plain words, `@file` (JSON from a file), or for `…_time` keys also `now`, `+10s`, `-5min`. */
async function buildCommand(cmd: string, service: string | undefined, pairs: readonly string[]): Promise<Command> {
  const words = service?.includes('=') === true ? [service, ...pairs] : pairs
  const entries = new Map<string, unknown>()
  for (const pair of words) {
    const at = pair.indexOf('=')
    if (at < 1) throw new CodedError('CLI_USAGE', `'${pair}': write key=value, key=@file.json or key='[1, 2]'`)
    const key = pair.slice(0, at)
    entries.set(key, await valueOf(key, pair.slice(at + 1)))
  }
  const named = service === undefined || service.includes('=') ? {} : { service }
  return { cmd, ...named, ...Object.fromEntries(entries) }
}

async function valueOf(key: string, text: string): Promise<unknown> {
  if (text.startsWith('@')) return parseJson(await readInput(text.slice(1)), text.slice(1))
  if (key.endsWith('_time') && /^(now$|[-+])/.test(text)) return new Date(parseMoment(text)).toISOString()
  const time = key.endsWith('_time') ? zoned(text) : undefined
  if (time !== undefined) return time
  try {
    return readJson(text)
  } catch {
    return text // Plain words need no quotes
  }
}
