// The canonical dialect: JSON objects with `cmd`; answers with `msg_id`, `response` ACK|ERR and `message`.
import { CodedError, type Command, type OutMessage } from '../../core/api/plugin.js'
import { writeJson } from '../../core/api/json.js'
import { type ReadingDialect } from '../../core/command-file.js'
import { schemaId, schemaIds, readCommandJson } from '../../schemas/index.js'

/** Whether a message is meant as a JSON object: white space may lead, as in messages made by hand. */
export function looksLikeObject(message: Buffer): boolean {
  let at = 0
  while (message[at] === 0x20 || (message[at]! >= 0x09 && message[at]! <= 0x0d)) at++
  return message[at] === 0x7b
}

/** Parses hostile JSON: an object, not too deep. Throws COMMAND_JSON. */
export function parseObject(message: Buffer): Record<string, unknown> {
  let value: unknown
  const text = message.toString('utf8')
  try {
    value = readCommandJson(text)
  } catch (cause) {
    const fields = { command: idIn(text) }
    throw new CodedError('COMMAND_JSON', `not valid JSON: ${(cause as Error).message}`, { path: '/', cause, fields })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new CodedError('COMMAND_JSON', 'a command is a JSON object such as {"cmd": "status"}', { path: '/' })
  return value as Record<string, unknown>
}

/** The `msg_id` that stands in text which is no JSON: the sender waits for an answer with it. */
function idIn(text: string): Record<string, unknown> {
  const found = /"msg_id"\s*:\s*("(?:[^"\\]|\\.){0,1000}")/.exec(text)?.[1]
  try {
    return found === undefined ? {} : { msg_id: JSON.parse(found) as unknown }
  } catch {
    return {}
  }
}

const out = (value: unknown): readonly OutMessage[] => [{ value: Buffer.from(writeJson(value)) }]

export default {
  id: 'json',
  read: readCommandJson,
  decode(message) {
    // FlatBuffers are for other dialects of the topic, or no commands at all
    if (schemaIds.includes(schemaId(message) ?? '')) return undefined
    const value = parseObject(message)
    const cmd = value['cmd']
    // Answers and status messages may share a topic with commands
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
} satisfies ReadingDialect

const idOf = (value: Record<string, unknown>): Record<string, unknown> =>
  typeof value['msg_id'] === 'string' ? { msg_id: value['msg_id'] } : {}
