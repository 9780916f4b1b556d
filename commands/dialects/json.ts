// The canonical dialect: JSON objects with `cmd`; answers with `msg_id`, `response` ACK|ERR and `message`.
import { CodedError, type Command, type Dialect, type OutMessage } from '../../core/api/plugin.js'
import { schemaId, schemaIds } from '../../schemas/index.js'

/** Nesting deeper than this is hostile, whatever it means. */
const maxDepth = 200

/** Whether a message is meant as a JSON object: white space may lead, as in messages made by hand. */
export function looksLikeObject(message: Buffer): boolean {
  let at = 0
  while (message[at] === 0x20 || (message[at]! >= 0x09 && message[at]! <= 0x0d)) at++
  return message[at] === 0x7b
}

/** Parses hostile JSON: an object, not too deep. Throws COMMAND_JSON. */
export function parseObject(message: Buffer): Record<string, unknown> {
  const text = message.toString('utf8')
  checkDepth(text)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new CodedError('COMMAND_JSON', `not valid JSON: ${(cause as Error).message}`, { path: '/', cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new CodedError('COMMAND_JSON', 'a command is a JSON object such as {"cmd": "status"}', { path: '/' })
  return value as Record<string, unknown>
}

/** JSON.parse and every later walk recurse, so depth is bounded before them. */
function checkDepth(text: string): void {
  let depth = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (inString) {
      if (c === 0x5c) i++
      else if (c === 0x22) inString = false
    } else if (c === 0x22) inString = true
    else if (c === 0x7b || c === 0x5b) {
      if (++depth > maxDepth)
        throw new CodedError('COMMAND_JSON', `nested deeper than ${maxDepth} levels`, { path: '/' })
    } else if (c === 0x7d || c === 0x5d) depth--
  }
}

const out = (value: unknown): readonly OutMessage[] => [
  {
    value: Buffer.from(
      JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item))
    )
  }
]

export default {
  id: 'json',
  decode(message) {
    // FlatBuffers are for other dialects of the topic, or no commands at all
    if (schemaIds.includes(schemaId(message) ?? '')) return undefined
    const value = parseObject(message)
    const cmd = value['cmd']
    // answers and status messages may share a topic with commands
    if (cmd === undefined && (typeof value['response'] === 'string' || typeof value['type'] === 'string'))
      return undefined
    if (typeof cmd !== 'string')
      throw new CodedError('COMMAND_INVALID', '\'cmd\' must be a string such as "start"', {
        path: '/cmd',
        fields: { command: idOf(value) }
      })
    return value as Command
  },
  reply: (command, { silent: _silent, reply_topic: _topic, ...reply }, serviceId) =>
    out({
      type: 'nexstream_reply',
      msg_id: command.msg_id ?? null,
      service_id: serviceId,
      ...reply,
      time: new Date().toISOString()
    }),
  event: (event, serviceId) =>
    out({ type: 'nexstream_event', service_id: serviceId, ...event, time: new Date().toISOString() })
} satisfies Dialect

const idOf = (value: Record<string, unknown>): Record<string, unknown> =>
  typeof value['msg_id'] === 'string' ? { msg_id: value['msg_id'] } : {}
