// fc00 and rf5k: what the EPICS forwarder of the field is to forward, in our words.
import { Builder, verified } from './control.js'
import { fc00_ConfigUpdate as Update } from './generated/fc00/fc00-config-update.js'
import { Stream } from './generated/fc00/stream.js'
import { UpdateType } from './generated/fc00/update-type.js'
import { ConfigUpdate as OlderUpdate } from './generated/rf5k/config-update.js'
import { Stream as OlderStream } from './generated/rf5k/stream.js'
import { UpdateType as OlderKind } from './generated/rf5k/update-type.js'

/** Texts are "" when absent; when streams are removed that means any. */
export interface ChangedStream {
  readonly channel: string
  /** A schema id. */
  readonly schema: string
  readonly topic: string
  /** Id of the source part; the number on the wire when it is not known. */
  readonly protocol: string
  /** Whether the last value is also repeated at the forwarder's period; rf5k does not say. */
  readonly periodic?: boolean
}

export type ChangeKind = keyof typeof UpdateType

export interface StreamChange {
  /** Undefined for a kind that is not known. rf5k has no REPLACE. */
  readonly change: ChangeKind | undefined
  readonly streams: readonly ChangedStream[]
}

const protocols = ['pva', 'ca', 'sim']
const olderProtocols: ReadonlyMap<string, string> = new Map([
  ['pva', 'PVA'],
  ['ca', 'CA'],
  ['sim', 'FAKE']
])
/** What the older forwarder calls these schemas. */
const olderNames: ReadonlyMap<string, string> = new Map([
  ['se00', 'nttable_se00'],
  ['senv', 'nttable_senv']
])
const ourNames: ReadonlyMap<string, string> = new Map([...olderNames].map(([ours, older]) => [older, ours]))

/** The name of a schema as the Python forwarder understands it. */
export const olderName = (schema: string): string => olderNames.get(schema) ?? schema

/** The name of a protocol as the Python forwarder tells it; others stay as they are. */
export const olderProtocol = (protocol: string): string => olderProtocols.get(protocol) ?? protocol

function changed(stream: Stream | OlderStream): ChangedStream {
  const schema = stream.schema() ?? ''
  return {
    channel: stream.channel() ?? '',
    schema: ourNames.get(schema) ?? schema,
    topic: stream.topic() ?? '',
    protocol: protocols[stream.protocol()] ?? String(stream.protocol()),
    ...(stream instanceof Stream ? { periodic: stream.periodic() !== 0 } : {})
  }
}

/** Throws BadMessage for bytes that are no sound message of this schema. */
export function readStreamChange(message: Uint8Array, id: 'fc00' | 'rf5k'): StreamChange {
  const bytes = verified(message, id)
  const update = id === 'fc00' ? Update.getRootAsfc00_ConfigUpdate(bytes) : OlderUpdate.getRootAsConfigUpdate(bytes)
  const streams: ChangedStream[] = []
  for (let i = 0; i < update.streamsLength(); i++) streams.push(changed(update.streams(i)!))
  const kinds: Readonly<Record<number, string>> = id === 'fc00' ? UpdateType : OlderKind
  return { change: kinds[update.configChange()] as ChangeKind | undefined, streams }
}

/** Protocols that the schemas do not know become pva. */
export function writeStreamChange(
  id: 'fc00' | 'rf5k',
  change: ChangeKind,
  streams: readonly ChangedStream[]
): Uint8Array {
  const builder = new Builder(1024)
  const rows = streams.map(({ channel, schema, topic, protocol, periodic }) => {
    const texts = [builder.createString(channel), builder.createString(schema), builder.createString(topic)] as const
    const number = Math.max(protocols.indexOf(protocol), 0)
    return id === 'fc00'
      ? Stream.createStream(builder, ...texts, number, periodic === true ? 1 : 0)
      : OlderStream.createStream(builder, ...texts, number)
  })
  // Readers want no vector, not an empty one, when there are no streams
  const vector = rows.length === 0 ? 0 : Update.createStreamsVector(builder, rows)
  if (id === 'fc00')
    Update.finishfc00_ConfigUpdateBuffer(builder, Update.createfc00_ConfigUpdate(builder, UpdateType[change], vector))
  else
    OlderUpdate.finishConfigUpdateBuffer(
      builder,
      OlderUpdate.createConfigUpdate(builder, UpdateType[change] as number, vector)
    )
  return builder.asUint8Array()
}
