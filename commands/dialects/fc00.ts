// The FlatBuffers commands of the Python forwarder: fc00 and the older rf5k. They know no answer of their own: ours is JSON.
import { CodedError, type Command, type Dialect } from '../../core/api/plugin.js'
import { schemaId } from '../../schemas/index.js'
import { type ChangedStream, readStreamChange, type StreamChange } from '../../schemas/stream-changes.js'
import json from './json.js'

function toStart({ channel, schema, topic, protocol, periodic }: ChangedStream): object {
  // A flag on the wire: not 0 means the forwarder's own period
  return { channel, protocol, converter: schema, topic, ...(periodic === false ? { periodic_ms: 0 } : {}) }
}

const toPattern = ({ channel, schema, topic }: ChangedStream): object =>
  Object.fromEntries(Object.entries({ channel, topic, schema }).filter(([, value]) => value !== ''))

function toCommand({ change, streams }: StreamChange): Command {
  const service = 'forwarder'
  switch (change) {
    case 'ADD':
      return { cmd: 'start', service, streams: streams.map(toStart) }
    case 'REMOVE':
      return { cmd: 'stop', service, streams: streams.map(toPattern) }
    case 'REMOVEALL':
      return { cmd: 'stop', service, all: true }
    case 'REPLACE':
      return { cmd: 'config', service, streams: streams.map(toStart) }
    default:
      throw new CodedError('COMMAND_INVALID', 'unknown kind of config change', { path: '/config_change' })
  }
}

export default {
  id: 'fc00',
  decode(message) {
    const id = schemaId(message)
    if (id !== 'fc00' && id !== 'rf5k') return undefined
    return toCommand(readStreamChange(message, id))
  },
  reply: json.reply,
  event: json.event
} satisfies Dialect
