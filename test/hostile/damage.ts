// Hostile data messages of every schema, for tests with and without Kafka.
import { type Fields } from '../../schemas/index.js'
import { nasty, random } from '../support/random.js'

/** Every truncation (of the first 300 bytes), random bytes and nasty 32-bit numbers anywhere: vtables, offsets, lengths, values. */
export function damaged(good: Buffer): Buffer[] {
  const pick = random(good.length)
  const out: Buffer[] = []
  for (let end = 0; end < Math.min(good.length, 300); end++) out.push(good.subarray(0, end))
  for (let round = 0; round < 400; round++) {
    const bytes = Buffer.from(good)
    for (let i = 0; i <= pick(3); i++)
      if (round % 2 === 0) bytes[pick(bytes.length)] = pick(256)
      else bytes.writeUInt32LE(nasty[pick(nasty.length)] ?? 0, pick((bytes.length - 4) >> 2) * 4)
    out.push(bytes)
  }
  for (let round = 0; round < 50; round++) {
    const bytes = Buffer.from(Array.from({ length: 8 + pick(200) }, () => pick(256)))
    good.copy(bytes, 4, 4, 8)
    out.push(bytes)
  }
  return out
}

const ints = (...values: number[]): object => ({ dtype: 'int32', values })
const uints = (...values: number[]): object => ({ dtype: 'uint32', values })
const longs = (...values: number[]): object => ({ dtype: 'int64', values })
const doubles = (...values: number[]): object => ({ dtype: 'float64', values })
const frame = { uniqueId: 1, shape: [1, 2], data: { dtype: 'uint16', values: [1, 2] }, isText: false, attributes: [] }
const events = { messageId: 1, timeOfFlight: ints(1, 2), pixelId: ints(3, 4) }
const samples = {
  timeDelta: 10,
  channel: 0,
  messageCounter: 1,
  values: ints(1, 2),
  timestamps: null,
  timestampLocation: 0
}
const variable = { unit: null, label: null, source: null, isText: false }
const counts = (data: object): object => ({
  lastMetadataTimestampNs: 0,
  currentShape: [2],
  dimensions: [{ length: 2, unit: 'm', label: 'x', edges: doubles(1, 2, 3) }],
  offset: null,
  errors: null,
  info: 'i',
  data
})

export interface Case {
  /** The record but source and time. */
  readonly record: object
  readonly config?: object
  /** Of the messages; default the id of the module. */
  readonly schema?: string
  /** Its times are seconds since the start. */
  readonly seconds?: boolean
  /** Dataset with one row per message, and those of two good messages. */
  readonly rows: string
}

export const cases: Readonly<Record<string, Case>> = {
  f142: { record: { dtype: 'float64', value: 1.5, alarm: { severity: 1, status: 4 } }, rows: 'time' },
  f144: { record: { dtype: 'float64', value: 1.5 }, rows: 'time' },
  al00: { record: { severity: 1, message: 'high' }, rows: 'alarm_time' },
  ep00: { record: { status: 2, service: 's' }, rows: 'connection_status_time' },
  ep01: { record: { status: 2, service: 's' }, rows: 'connection_status_time' },
  ev42: { record: { ...events, timeOfFlight: uints(1, 2), pixelId: uints(3, 4), facility: { type: 'isis', periodNumber: 1, runState: 'RUNNING', protonCharge: 1 } }, config: { isis_data: true, adc_pulse_debug: true }, rows: 'event_time_zero' }, // prettier-ignore
  ev43: { record: { ...events, timeOfFlight: uints(1, 2), pixelId: uints(3, 4), referenceTimeIndex: uints(0) }, rows: 'event_time_zero' }, // prettier-ignore
  ev44: { record: { ...events, referenceTimeIndex: ints(0) }, rows: 'event_time_zero' },
  an44: { record: { ...events, referenceTimeIndex: ints(0), weight: { dtype: 'int16', values: [1, 2] } }, rows: 'event_time_zero' }, // prettier-ignore
  se00: { record: { ...samples, values: doubles(1, 2) }, rows: 'cue_timestamp_zero' },
  senv: { record: samples, rows: 'cue_timestamp_zero' },
  tdct: { record: { sequence: 1 }, rows: 'cue_timestamp_zero' },
  NDAr: { record: frame, config: { array_size: [1, 2] }, rows: 'time' },
  ADAr: { record: frame, config: { array_size: [1, 2], dtype: 'uint16' }, rows: 'time' },
  ad00: { record: frame, rows: 'time' },
  hs00: { record: counts({ dtype: 'uint64', values: [1, 2] }), rows: 'time' },
  hs01: { record: counts(ints(1, 2)), config: { shape: [{ size: 2 }] }, rows: 'time' },
  da00: { record: { variables: [{ ...variable, name: 'signal', axes: ['x'], shape: [2], data: doubles(1, 2) }, { ...variable, name: 'x', axes: ['x'], shape: [2], data: doubles(1, 2) }] }, rows: 'time' }, // prettier-ignore
  ns10: { record: { ttl: 0, expired: false, value: '1.5' }, rows: 'time' },
  un00: { record: { units: 'K' }, rows: 'units_text_time' },
  pu00: { record: { messageId: 1, vetos: 0, period: 1, protonCharge: 0.5 }, rows: 'period_log/time' },
  isis_run: { record: { messageId: 1, vetos: 0, period: 1, protonCharge: 0.5 }, schema: 'pu00', seconds: true, rows: 'framelog/period_log/time' }, // prettier-ignore
  IXseblock: { record: { dtype: 'float64', value: 1.5 }, schema: 'f144', seconds: true, rows: 'value_log/time' },
  vc00: { record: { vetoes: 5 }, rows: 'time' },
  aev2: { record: { time: uints(1, 2), voltage: { dtype: 'uint16', values: [3, 4] }, channel: uints(5, 6), digitisers: { dtype: 'uint8', values: [1] }, complete: true }, rows: 'event_time_zero' }, // prettier-ignore
  muon_run: { record: { time: uints(1, 2), voltage: { dtype: 'uint16', values: [3, 4] }, channel: uints(5, 6), digitisers: { dtype: 'uint8', values: [1] }, complete: true }, schema: 'aev2', rows: 'detector_1/event_time_zero' }, // prettier-ignore
  mantid_log: { record: { dtype: 'float64', value: 1.5 }, schema: 'f144', seconds: true, rows: 'time' }
}

/** What the messages of a schema are known by: some name no source. */
export const sourceOf = (id: string): string =>
  id === 'NDAr' ? 'ADPluginKafka' : ['df12', 'vc00', 'aev2'].includes(id) ? id : id === 'muon_run' ? 'aev2' : 'src'

export const START_NS = 1_700_000_000_000_000_000n
export const timesNs = [START_NS, START_NS + 1_000_000_000n]

/** The record with its time, where its schema has it. */
export function record(module: string, { record: rest, schema: id = module }: Case, timeNs: bigint): string {
  const time = Number(timeNs)
  const times = id.startsWith('ev') || id === 'an44' ? { referenceTime: { ...longs(time), dtype: id.endsWith('44') ? 'int64' : 'uint64' }, referenceTimeIndex: null } : id === 'tdct' ? { timestamps: { dtype: 'uint64', values: [time, time + 1000] } } : { timestampNs: time } // prettier-ignore
  if (id === 'aev2') return JSON.stringify({ topic: module, schema: id, record: { frame: { timestampNs: time, period: 1, protonsPerPulse: 1, running: true, frameNumber: 1, vetoes: 0 }, ...rest } }) // prettier-ignore
  const source = id === 'NDAr' ? 'ADPluginKafka' : 'src'
  return JSON.stringify({ topic: module, schema: id, record: { source, ...times, ...rest } })
}

const MOST = 2n ** 64n - 1n
const END = 2n ** 63n - 1n
const GOOD = 1_700_000_000_000_000_000n
const log = (id: string, timestamp: bigint, value: number, type = 'Double'): [string, Fields] => [
  id,
  { source_name: 'src', timestamp, value: { type, value: { value } } }
]

/** Sound messages of impossible times, sizes and numbers: what is counted as bad, and what is in the file all the same. */
export const hostileContent: readonly [
  module: string,
  config: object,
  messages: readonly [string, Fields][],
  bad: object,
  content: object
][] = [
  // prettier-ignore
  [
    'f142',
    { dtype: 'int32' },
    [log('f142', MOST, 1), log('f142', 0n, 1), log('f142', GOOD, NaN), log('f142', GOOD + 1n, Infinity), log('f142', GOOD + 2n, 7)],
    { bad_timestamp: 2, not_a_number: 1 },
    { value: [2147483647, 7], time: [String(GOOD + 1n), String(GOOD + 2n)] }
  ],
  [
    'f144',
    {},
    [log('f144', -1n, 1), log('f144', GOOD, NaN), log('f144', GOOD + 1n, 2), log('f144', END, 3)],
    { bad_timestamp: 1 },
    { value: ['nan', 2, 3], minimum_value: 2, maximum_value: 3, average_value: 2.5 }
  ],
  [
    'tdct',
    {},
    [
      ['tdct', { name: 'src', timestamps: [GOOD, MOST] }],
      ['tdct', { name: 'src', timestamps: [] }],
      ['tdct', { name: 'src', timestamps: [GOOD + 1n] }]
    ],
    { bad_timestamp: 2 },
    { time: [String(GOOD + 1n)] }
  ],
  [
    'se00',
    { dtype: 'double' },
    [
      ['se00', { name: 'src', packet_timestamp: GOOD, time_delta: NaN, values: { type: 'DoubleArray', value: { value: [1, 2] } } }], // prettier-ignore
      ['se00', { name: 'src', packet_timestamp: END, time_delta: 1, values: { type: 'DoubleArray', value: { value: [1, 2] } } }], // prettier-ignore
      ['se00', { name: 'src', packet_timestamp: GOOD, time_delta: 1, values: { type: 'DoubleArray', value: { value: [NaN, 2] } } }] // prettier-ignore
    ],
    { bad_timestamp: 2 },
    { value: ['nan', 2], time: [String(GOOD), String(GOOD + 1n)] }
  ],
  [
    'ev44',
    {},
    [
      ['ev44', { source_name: 'src', message_id: 1n, reference_time: [GOOD], reference_time_index: [0x7fffffff], time_of_flight: [1], pixel_id: [1] }], // prettier-ignore
      ['ev44', { source_name: 'src', message_id: 2n, reference_time: [GOOD, GOOD], reference_time_index: [1, 0], time_of_flight: [1], pixel_id: [1] }], // prettier-ignore
      ['ev44', { source_name: 'src', message_id: 3n, reference_time: [GOOD], reference_time_index: [0], time_of_flight: [1, 2], pixel_id: [1] }], // prettier-ignore
      ['ev44', { source_name: 'src', message_id: 2n ** 63n - 1n, reference_time: [GOOD], reference_time_index: [0], time_of_flight: [-5], pixel_id: [-1] }] // prettier-ignore
    ],
    { pulse_index: 2, length_mismatch: 1 },
    { event_id: [-1], event_time_offset: [-5], event_index: [0], total_counts: 1 }
  ],
  [
    'ad00',
    {},
    [
      ['ad00', { source_name: 'src', timestamp: GOOD, dimensions: [2 ** 40, 0], data_type: 1, data: [] }],
      ['ad00', { source_name: 'src', timestamp: GOOD, dimensions: [2 ** 31, 2 ** 31], data_type: 1, data: [1] }],
      ['ad00', { source_name: 'src', timestamp: GOOD, dimensions: Array.from({ length: 40 }, () => 1), data_type: 1, data: [1] }], // prettier-ignore
      ['ad00', { source_name: 'src', timestamp: GOOD, dimensions: [-1, -1], data_type: 1, data: [1] }],
      ['ad00', { source_name: 'src', timestamp: GOOD, dimensions: [1, 1], data_type: 1, data: [9] }]
    ],
    { frame_size: 1, length_mismatch: 1, out_of_range: 2 },
    { value: [[[9]]] }
  ],
  [
    'hs01',
    {},
    [
      ['hs01', { source: 'src', timestamp: GOOD, current_shape: [1], dim_metadata: [{ length: 2 ** 31 - 1 }], data: { type: 'ArrayInt', value: { value: [1] } } }], // prettier-ignore
      ['hs01', { source: 'src', timestamp: GOOD, current_shape: [1], dim_metadata: [{ length: 2 }], data: { type: 'ArrayInt', value: { value: [1] } } }], // prettier-ignore
      ['hs01', { source: 'src', timestamp: GOOD, current_shape: [1], offset: [2 ** 31 - 1], data: { type: 'ArrayInt', value: { value: [1] } } }], // prettier-ignore
      ['hs01', { source: 'src', timestamp: GOOD, current_shape: [1], offset: [1], data: { type: 'ArrayInt', value: { value: [2] } } }] // prettier-ignore
    ],
    { histogram_shape: 2 },
    { histograms: [[1, 2]], timestamps: [[String(GOOD), 1]] }
  ],
  [
    'da00',
    {},
    [
      ['da00', { source_name: 'src', timestamp: GOOD, data: [{ name: '../x', data_type: 2, shape: [1], data: [1] }, { name: '', data_type: 2, shape: [1], data: [1] }, { name: '__proto__', data_type: 2, shape: [1], axes: ['constructor'], data: [1] }] }], // prettier-ignore
      ['da00', { source_name: 'src', timestamp: GOOD + 1n, data: Array.from({ length: 2000 }, (_, i) => ({ name: `v${i}`, data_type: 2, shape: [1], data: [1] })) }] // prettier-ignore
    ],
    {},
    { __proto__: [[1], [0]], signal: [[1], [0]] }
  ]
]
