// The JSON commands of the C++ EPICS forwarder (2018–2021): add, stop_channel, stop_all, exit; and its file of streams.
import { CodedError, type Command, type Dialect } from '../../core/api/plugin.js'
import json, { looksLikeObject, parseObject } from './json.js'

type Obj = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Obj => typeof value === 'object' && value !== null && !Array.isArray(value)

/** `[scheme://|//]host[:port]/topic` or a bare topic → the topic; the broker is that of the config. */
export function topicOf(uri: string): string {
  return uri.slice(uri.lastIndexOf('/') + 1)
}

// What is wrong in a stream is left as it is: the service refuses that stream with a reason and does the others.

/** As that program had them: TDC times are pairs of seconds and ns, f142 has its alarm where it changed (else NO_CHANGE). */
function converterOf(schema: unknown): Obj {
  if (schema === 'TdcTime') return { schema: 'tdct', values: 'seconds_and_ns' }
  return schema === 'f142' ? { schema, alarm: 'on_change' } : { schema }
}

function converter(value: unknown): unknown {
  if (!isObject(value)) return value
  const { schema, topic, name } = value
  return {
    ...(schema === undefined ? {} : converterOf(schema)),
    ...(topic === undefined ? {} : { topic: typeof topic === 'string' ? topicOf(topic) : topic }),
    ...(typeof name === 'string' ? { name } : {})
  }
}

function stream(value: unknown): Obj {
  const { channel, channel_provider_type: provider, converter: given } = isObject(value) ? value : {}
  const list = Array.isArray(given) ? (given as unknown[]) : [given ?? {}]
  return {
    ...(channel === undefined ? {} : { channel }),
    protocol: provider === 'ca' ? 'ca' : 'pva',
    converters: list.map(converter)
  }
}

function decode(value: Obj): Command | undefined {
  switch (value['cmd']) {
    case 'add': {
      const streams = value['streams']
      if (!Array.isArray(streams))
        throw new CodedError('COMMAND_INVALID', 'must be a list of streams', { path: '/streams' })
      return { cmd: 'start', service: 'forwarder', streams: streams.map(stream) }
    }
    case 'stop_channel':
      if (typeof value['channel'] !== 'string')
        throw new CodedError('COMMAND_INVALID', 'must be a string', { path: '/channel' })
      return { cmd: 'stop', service: 'forwarder', channels: [value['channel']] }
    case 'stop_all':
      return { cmd: 'stop', service: 'forwarder', all: true }
    case 'exit':
      return { cmd: 'exit', everyone: true }
    default:
      return undefined
  }
}

export default {
  id: 'forwarder-2018',
  decode(message) {
    if (!looksLikeObject(message)) return undefined
    const value = parseObject(message)
    const command = decode(value)
    return command === undefined || typeof value['msg_id'] !== 'string'
      ? command
      : { ...command, msg_id: value['msg_id'] }
  },
  reply: json.reply,
  event: json.event,
  // `--streams-json`, and the config file of version 1, whose other keys are for the config here
  file(content) {
    if (!isObject(content) || content['cmd'] !== undefined || !Array.isArray(content['streams'])) return undefined
    const command = decode({ cmd: 'add', streams: content['streams'] as unknown[] })
    return command === undefined ? [] : [command]
  }
} satisfies Dialect
