// Messages of muon digitisers and what is made of them: traces (dat2), events of one digitiser (dev2), of a frame (aev2).
import { BadMessage } from '../../core/api/plugin.js'
import {
  emptyVector,
  encodeMessage,
  fieldAt,
  type Fields,
  type MuonEvents,
  type MuonFrame,
  type MuonTraces,
  type Peek,
  Table,
  u16,
  u8,
  type Vector
} from '../../schemas/index.js'

/** Slot of the metadata in each root table. */
const slots = { dat2: 1, dev2: 1, aev2: 0 } as const
export type MuonId = keyof typeof slots

const GPS_BYTES = 14
const FIRST_YEAR = 2000
const NS_PER_MS = 1_000_000n
const DAY_MS = 86_400_000

const bad = (message: string): BadMessage => new BadMessage('bad_timestamp', message)

function metadataOf(root: Table, id: MuonId): Table {
  return root.table(slots[id]) ?? missingMetadata()
}

function missingMetadata(): never {
  throw new BadMessage('missing_field', 'the field metadata is absent')
}

/** ns since 1970. */
function timeOf({ message, at: table }: Table): bigint {
  const at = fieldAt(message, table, 0, GPS_BYTES)
  if (at === 0) throw bad('the frame has no time')
  const year = FIRST_YEAR + u8(message, at)
  const day = u16(message, at + 2)
  const [hour, minute, second] = [u8(message, at + 4), u8(message, at + 5), u8(message, at + 6)]
  const [ms, us, ns] = [u16(message, at + 8), u16(message, at + 10), u16(message, at + 12)]
  const isTime = day >= 1 && day <= 366 && hour < 24 && minute < 60 && second <= 60 && ms < 1000 && us < 1000 && ns < 1000 // prettier-ignore
  if (!isTime) throw bad(`year ${year}, day ${day}, ${hour}:${minute}:${second} and ${ms}, ${us}, ${ns} is no time`)
  return BigInt(Date.UTC(year, 0, day, hour, minute, second, ms)) * NS_PER_MS + BigInt(us * 1000 + ns)
}

function gpsTime(timestampNs: bigint): Fields {
  const ms = Number(timestampNs / NS_PER_MS)
  const rest = Number(timestampNs % NS_PER_MS)
  const date = new Date(ms)
  const year = date.getUTCFullYear()
  if (year < FIRST_YEAR || year > FIRST_YEAR + 255)
    throw new BadMessage('unencodable', `the year ${year} is outside ${FIRST_YEAR} to ${FIRST_YEAR + 255}`)
  return {
    year: year - FIRST_YEAR,
    day: Math.floor((ms - Date.UTC(year, 0, 1)) / DAY_MS) + 1,
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    millisecond: date.getUTCMilliseconds(),
    microsecond: Math.floor(rest / 1000),
    nanosecond: rest % 1000
  }
}

function frameOf(metadata: Table): MuonFrame {
  return {
    timestampNs: timeOf(metadata),
    period: metadata.uint64(1),
    protonsPerPulse: metadata.uint8(2),
    running: metadata.bool(3),
    frameNumber: metadata.uint32(4),
    vetoes: metadata.uint16(5)
  }
}

const fieldsOf = ({ timestampNs, period, protonsPerPulse, running, frameNumber, vetoes }: MuonFrame): Fields => ({
  timestamp: gpsTime(timestampNs),
  period_number: period,
  protons_per_pulse: protonsPerPulse,
  running,
  frame_number: frameNumber,
  veto_flags: vetoes
})

/** Messages name no source. */
export function peek(id: MuonId, message: Uint8Array, out: Peek): void {
  out.timestampNs = timeOf(metadataOf(Table.root(message, id), id))
  out.sourceStart = out.sourceEnd = 0
}

export function decodeTraces(message: Uint8Array): MuonTraces {
  const root = Table.root(message, 'dat2')
  return {
    digitiser: root.uint8(0),
    frame: frameOf(metadataOf(root, 'dat2')),
    sampleRate: root.uint64(2),
    traces: (root.tables(3) ?? []).map((trace) => ({
      channel: trace.uint32(0),
      voltage: trace.vector(1, 'uint16') ?? emptyVector('uint16')
    }))
  }
}

export const encodeTraces = ({ digitiser, frame, sampleRate, traces }: MuonTraces): Buffer =>
  encodeMessage('dat2', {
    digitizer_id: digitiser,
    metadata: fieldsOf(frame),
    sample_rate: sampleRate,
    channels: traces.map(({ channel, voltage }) => ({ channel, voltage: voltage }))
  })

export function decodeEvents(id: 'dev2' | 'aev2', message: Uint8Array): MuonEvents {
  const root = Table.root(message, id)
  const first = slots[id] + 1
  const vector = (slot: number, dtype: 'uint32' | 'uint16' | 'uint8'): Vector =>
    root.vector(slot, dtype) ?? emptyVector(dtype)
  const record = {
    frame: frameOf(metadataOf(root, id)),
    time: vector(first, 'uint32'),
    voltage: vector(first + 1, 'uint16'),
    channel: vector(first + 2, 'uint32')
  }
  const n = record.time.length
  if (record.voltage.length !== n || record.channel.length !== n)
    throw new BadMessage('length_mismatch', `${n} times, ${record.voltage.length} heights, ${record.channel.length} channels`) // prettier-ignore
  if (id === 'dev2') return { ...record, digitisers: Uint8Array.of(root.uint8(0)), complete: null }
  return { ...record, digitisers: Uint8Array.from(vector(5, 'uint8').bytes), complete: root.bool(4) }
}

export function encodeEvents(id: 'dev2' | 'aev2', record: MuonEvents): Buffer {
  const { frame, time, voltage, channel, digitisers, complete } = record
  const events = { metadata: fieldsOf(frame), time, voltage, channel }
  return id === 'dev2'
    ? encodeMessage(id, { digitizer_id: digitisers[0] ?? 0, ...events })
    : encodeMessage(id, { ...events, complete: complete ?? false, digitizers_present: digitisers })
}
