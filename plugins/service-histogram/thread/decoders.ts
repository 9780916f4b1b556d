// From bytes to events or pulses, by the converters of the daemon.
import { BadMessage } from '../../../core/api/plugin.js'
import {
  type DataArrayRecord,
  type EventRecord,
  type HistogramRecord,
  type MuonEvents,
  type OpenConverters,
  type PulseRecord,
  schemaId
} from '../../../schemas/index.js'
import { arraySchemas, eventSchemas } from '../histogram-schema.js'
import { arrayOf, type ArrayRecord } from './arrays.js'

export type DecodedMessage =
  | { readonly kind: 'events'; readonly schema: string; readonly record: EventRecord }
  | { readonly kind: 'array'; readonly schema: string; readonly record: ArrayRecord }
  | { readonly kind: 'pulse'; readonly record: PulseRecord }
  | { readonly kind: 'bad'; readonly reason: string }

export class Decoders {
  constructor(readonly converters: OpenConverters) {}

  /** Never throws. */
  decode(message: Buffer | null): DecodedMessage {
    const schema = message === null ? undefined : schemaId(message)
    if (message === null || schema === undefined) return { kind: 'bad', reason: 'too_small' }
    const isEvents = eventSchemas.some((one) => one === schema)
    const isArray = arraySchemas.some((one) => one === schema)
    if (!isEvents && !isArray && schema !== 'pu00') return { kind: 'bad', reason: 'unknown_schema' }
    try {
      const converter = this.converters.of(schema)
      if (converter?.decode === undefined) return { kind: 'bad', reason: 'unknown_schema' }
      const record = converter.decode(message)
      if (schema === 'aev2' || schema === 'dev2')
        return { kind: 'events', schema, record: ofMuons(schema, record as MuonEvents) }
      if (isEvents) return { kind: 'events', schema, record: record as EventRecord }
      if (isArray)
        return { kind: 'array', schema, record: arrayOf(schema, record as DataArrayRecord | HistogramRecord) }
      return { kind: 'pulse', record: record as PulseRecord }
    } catch (error) {
      return { kind: 'bad', reason: reasonOf(error) }
    }
  }
}

/** Muon events as others: the pixel is the channel. Their messages name no source, so streams name the schema. */
function ofMuons(source: string, { frame, time, channel }: MuonEvents): EventRecord {
  const { timestampNs, period, running } = frame
  return {
    source,
    messageId: BigInt(frame.frameNumber),
    referenceTime: { dtype: 'int64', length: 1, bytes: new Uint8Array(BigInt64Array.of(timestampNs).buffer) },
    referenceTimeIndex: null,
    timeOfFlight: time,
    pixelId: channel,
    facility: { type: 'isis', periodNumber: Number(period), runState: running ? 'RUNNING' : 'SETUP', protonCharge: 0 }
  }
}

/** What a decoder threw, as a reason. */
const reasonOf = (error: unknown): string => (error instanceof BadMessage ? error.reason : 'decode_failed')
