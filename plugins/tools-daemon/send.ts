// `nexstream send`, `start` and `stop`: one command, its answer.
import { CodedError, type Command, type ToolContext, type ToolRun } from '../../core/api/plugin.js'
import { readJson } from '../../schemas/index.js'
import { ask, isRelative, moment, showReply, zoned } from './tool-kit.js'

/** Sends the command in a JSON file (`-`: standard input). */
export const send: ToolRun = async ([file = '-'], flags, context) => {
  const command = parseCommand(await context.readBytes(file), file)
  return showReply(context, flags, await ask(context, flags, command))
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

/** `nexstream start SERVICE key=value list=@file.json stop_time=+10min`; `service` is given where it is no argument. */
export const commandTool =
  (cmd: string, service?: string): ToolRun =>
  async (args, flags, context) => {
    const words = args.filter((word) => word !== undefined)
    const [first] = words
    const isNamed = service === undefined && first?.includes('=') === false
    const pairs = isNamed ? words.slice(1) : words
    const command = await buildCommand(cmd, isNamed ? first : service, pairs, context)
    return showReply(context, flags, await ask(context, flags, command))
  }

/** Values are JSON, plain words, `@file` (JSON from a file), or for `…_time` keys also `now`, `+10s`, `-5min`, `10:30`, `yesterday`. */
async function buildCommand(
  cmd: string,
  service: string | undefined,
  pairs: readonly string[],
  context: ToolContext
): Promise<Command> {
  const entries = new Map<string, unknown>()
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    if (at < 1) throw new CodedError('CLI_USAGE', `'${pair}': write key=value, key=@file.json or key='[1, 2]'`)
    const key = pair.slice(0, at)
    entries.set(key, await valueOf(key, pair.slice(at + 1), context))
  }
  return { cmd, ...(service !== undefined && { service }), ...Object.fromEntries(entries) }
}

async function valueOf(key: string, text: string, { readBytes, say }: ToolContext): Promise<unknown> {
  if (text.startsWith('@')) return parseJson(await readBytes(text.slice(1)), text.slice(1))
  if (key.endsWith('_time') && isRelative(text)) return new Date(moment(text, say)).toISOString()
  const time = key.endsWith('_time') ? zoned(text) : undefined
  if (time !== undefined) return time
  try {
    return readJson(text)
  } catch {
    return text // Plain words need no quotes
  }
}
