// fc00 and rf5k: what the EPICS forwarder is to forward.
import { BadMessage } from '../../core/api/errors.js'
import { encodeMessage } from '../index.js'
import { Table } from '../reader.js'

export type Protocol = 'PVA' | 'CA' | 'FAKE'
export type ConfigChange = 'ADD' | 'REMOVE' | 'REMOVEALL' | 'REPLACE'

/** Texts are "" when absent; in REMOVE that means any. */
export interface ForwardedStream {
  readonly channel: string
  /** A schema id or one of the forwarder's own names, e.g. `nttable_se00`. */
  readonly schema: string
  readonly topic: string
  readonly protocol: Protocol
  /** The last value is also repeated at the forwarder's period. rf5k: always false. */
  readonly periodic: boolean
}

export interface ConfigUpdate {
  readonly change: ConfigChange
  readonly streams: readonly ForwardedStream[]
}

const changes: readonly ConfigChange[] = ['ADD', 'REMOVE', 'REMOVEALL', 'REPLACE']
const protocols: readonly Protocol[] = ['PVA', 'CA', 'FAKE']

const named = <T>(names: readonly T[], value: number, what: string): T =>
  names[value] ?? unknown(`${value} is no ${what}`)

function unknown(why: string): never {
  throw new BadMessage('unknown_type', why)
}

function decode(message: Uint8Array, id: 'fc00' | 'rf5k'): ConfigUpdate {
  const t = Table.root(message, id)
  const change = named(id === 'fc00' ? changes : changes.slice(0, 3), t.uint16(0), 'kind of change')
  const streams = (t.tables(1) ?? []).map((stream) => ({
    channel: stream.text(0),
    schema: stream.text(1),
    topic: stream.text(2),
    protocol: named(protocols, stream.uint16(3), 'protocol'),
    periodic: id === 'fc00' && stream.int32(4) !== 0
  }))
  return { change, streams }
}

/** Throws BadMessage for bytes that are no sound fc00, and for unknown kinds of change and protocols. */
export const decodeFc00 = (message: Uint8Array): ConfigUpdate => decode(message, 'fc00')
/** Throws BadMessage for bytes that are no sound rf5k, and for unknown kinds of change and protocols. */
export const decodeRf5k = (message: Uint8Array): ConfigUpdate => decode(message, 'rf5k')

// Readers want `streams` to be absent, not empty, when there are none.
export function encodeFc00({ change, streams }: ConfigUpdate): Buffer {
  const rows = streams.map(({ channel, schema, topic, protocol, periodic }) => {
    return { channel, schema, topic, protocol, periodic: periodic ? 1 : 0 }
  })
  return encodeMessage('fc00', { config_change: change, streams: rows.length > 0 ? rows : null })
}

/** Throws BadMessage `unencodable` for REPLACE, which rf5k does not know. */
export function encodeRf5k({ change, streams }: ConfigUpdate): Buffer {
  const rows = streams.map(({ channel, schema, topic, protocol }) => ({ channel, schema, topic, protocol }))
  return encodeMessage('rf5k', { config_change: change, streams: rows.length > 0 ? rows : null })
}
