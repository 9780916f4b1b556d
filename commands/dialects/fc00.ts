// The FlatBuffers commands of the Python forwarder: fc00 and the older rf5k. They know no answer of their own: ours is JSON.
import { CodedError, type Command, type Dialect } from '../../core/api/plugin.js'
import { decodeJson, schemaId } from '../../schemas/index.js'
import json from './json.js'

interface Named {
  readonly name: string
}
interface WireStream {
  readonly channel: string | null
  readonly schema: string | null
  readonly topic: string | null
  readonly protocol: Named
  readonly periodic?: number
}

const protocols: Readonly<Record<string, string>> = { PVA: 'pva', CA: 'ca', FAKE: 'sim' }
/** Names that the Python forwarder used beside schema ids. */
const schemas: ReadonlyMap<string, string> = new Map([
  ['nttable_se00', 'se00'],
  ['nttable_senv', 'senv']
])
const schemaOf = (name: string | null): string => (name === null ? '' : (schemas.get(name) ?? name))

function toStart({ channel, schema, topic, protocol, periodic }: WireStream): object {
  return {
    channel: channel ?? '',
    protocol: protocols[protocol.name] ?? protocol.name,
    converter: schemaOf(schema),
    topic: topic ?? '',
    // a flag on the wire: not 0 means the forwarder's own period
    ...(periodic === 0 ? { periodic_ms: 0 } : {})
  }
}

function toPattern({ channel, schema, topic }: WireStream): object {
  const pattern = { channel, topic, schema: schemaOf(schema) }
  return Object.fromEntries(Object.entries(pattern).filter(([, value]) => value !== null && value !== ''))
}

function toCommand(change: string, streams: readonly WireStream[]): Command {
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
      throw new CodedError('COMMAND_INVALID', `unknown config change ${change}`, { path: '/config_change' })
  }
}

export default {
  id: 'fc00',
  decode(message) {
    const id = schemaId(message)
    if (id !== 'fc00' && id !== 'rf5k') return undefined
    const content = decodeJson(message).message as unknown as {
      config_change: Named
      streams: readonly WireStream[] | null
    }
    return toCommand(content.config_change.name, content.streams ?? [])
  },
  reply: json.reply,
  event: json.event
} satisfies Dialect
