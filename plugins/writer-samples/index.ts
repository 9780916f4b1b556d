// NXlog writers of fast sample environment: se00 and senv waveforms with a time per sample, tdct time stamps.
import { API, BadMessage, type Context, definePlugin, type JSONSchema, type Options } from '../../core/api/plugin.js'
import {
  countConverted,
  Cues,
  timeAttributes,
  type Column,
  defineWriter,
  type Group,
  type Writer
} from '../service-filewriter/writer-kit.js'
import { cast, typeNames, typeOf } from '../../schemas/cast.js'
import { type SamplesRecord, type TimestampsRecord, type Vector } from '../../schemas/index.js'

const common = {
  chunk_size: { type: 'integer', minimum: 1, default: 4096, description: 'Samples per chunk of the datasets.' },
  enable_alarm_info: {
    type: 'boolean',
    default: true,
    description: 'Also write the alarms (al00) of the same source beside the samples.'
  },
  enable_epics_con_info: {
    type: 'boolean',
    default: true,
    description: 'Also write the connection state (ep01) of the same source beside the samples.'
  }
} as const

const samplesConfig = {
  type: 'object',
  additionalProperties: false,
  properties: {
    dtype: { type: 'string', enum: typeNames, description: 'Type of `value`; default int64.' },
    type: { type: 'string', enum: typeNames, description: 'Older word for `dtype`.' },
    unit: { type: 'string', description: 'Attribute `units` of `value`.' },
    units: { type: 'string', description: 'The same as `unit`.' },
    value_units: { type: 'string', description: 'Older word for `unit`.' },
    ...common
  }
} as const satisfies JSONSchema

const timesConfig = { type: 'object', additionalProperties: false, properties: common } as const satisfies JSONSchema

/** No time is above this: readers count in int64. */
const LAST_NS = 2n ** 63n - 1n

/** Throws BadMessage unless all are times: above 0, below 2^63. */
function checkTimes({ bytes, length }: Vector): void {
  for (let i = 0; i < length; i++) {
    const at = 8 * i
    const low = (bytes[at] ?? 0) | (bytes[at + 1] ?? 0) | (bytes[at + 2] ?? 0) | (bytes[at + 3] ?? 0)
    const high = (bytes[at + 4] ?? 0) | (bytes[at + 5] ?? 0) | (bytes[at + 6] ?? 0) | (bytes[at + 7] ?? 0)
    if ((bytes[at + 7] ?? 0) > 127 || (low | high) === 0)
      throw new BadMessage('bad_timestamp', `the time of sample ${i} is 0, negative or beyond 2^63`)
  }
}

/** One time per sample: those of the message, else equal steps from the time of the first. */
function timesOf({ timestamps, timestampNs, timeDelta, values }: SamplesRecord): Uint8Array {
  if (timestamps !== null) {
    checkTimes(timestamps)
    return timestamps.bytes
  }
  const step = timeDelta > 0 ? timeDelta : 0
  const span = step * (values.length - 1)
  if (Number.isNaN(timeDelta) || span > 9e18 || timestampNs + BigInt(Math.round(span)) > LAST_NS)
    throw new BadMessage('bad_timestamp', `steps of ${timeDelta} ns lead out of time`)
  const times = new BigInt64Array(values.length)
  for (let i = 0; i < times.length; i++) times[i] = timestampNs + BigInt(Math.round(step * i))
  return new Uint8Array(times.buffer)
}

class SamplesWriter implements Writer<SamplesRecord> {
  readonly #value: Column
  readonly #time: Column
  readonly #cues: Cues
  readonly #type

  readonly #context: Context

  constructor(group: Group, config: Options<typeof samplesConfig>, context: Context) {
    this.#context = context

    const { chunk_size: chunk } = config
    const units = config.unit ?? config.units ?? config.value_units
    this.#type = typeOf(config.dtype ?? config.type ?? 'int64')
    this.#value = group.column('value', { dtype: this.#type, chunk, attributes: units === undefined ? {} : { units } })
    this.#time = group.column('time', { dtype: 'uint64', chunk, index: true, attributes: timeAttributes })
    this.#cues = new Cues(group, 1, chunk)
    group.attribute('signal', 'value')
    group.attribute('axes', ['time'])
  }

  /** Everything is checked before the first append. */
  write(record: SamplesRecord): void {
    const { values, timestampNs } = record
    if (values.length === 0) return this.#context.count('empty')
    const times = timesOf(record)
    const converted = cast(values, this.#type)
    countConverted(this.#context, converted, this.#type, timestampNs)
    const first = this.#value.length
    this.#value.append(converted.bytes)
    this.#time.append(times)
    this.#cues.row(first, timestampNs)
  }
}

class TimesWriter implements Writer<TimestampsRecord> {
  readonly #time: Column
  readonly #cues: Cues

  constructor(group: Group, { chunk_size: chunk }: Options<typeof timesConfig>) {
    this.#time = group.column('time', { dtype: 'uint64', chunk, index: true, attributes: timeAttributes })
    this.#cues = new Cues(group, 1, chunk)
  }

  write({ timestamps }: TimestampsRecord): void {
    checkTimes(timestamps)
    const first = this.#time.length
    const { bytes } = timestamps
    this.#time.append(bytes)
    this.#cues.row(first, new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getBigUint64(0, true))
  }
}

const companions = (config: { enable_alarm_info: boolean; enable_epics_con_info: boolean }): readonly string[] => [
  ...(config.enable_alarm_info ? ['al00'] : []),
  ...(config.enable_epics_con_info ? ['ep01'] : [])
]

const samples = (id: 'se00' | 'senv') =>
  defineWriter({
    id,
    summary: `Samples of ${id} messages as NXlog: a value and a time per sample, a cue per message.`,
    accepts: [id],
    config: samplesConfig,
    nxClass: 'NXlog',
    keepsLast: true,
    companions,
    open: (group, config, context) => new SamplesWriter(group, config, context)
  })

const tdct = defineWriter({
  id: 'tdct',
  summary: 'Time stamps of a device (chopper) as NXlog: all times, a cue per message.',
  accepts: ['tdct'],
  config: timesConfig,
  nxClass: 'NXlog',
  keepsLast: true,
  companions,
  open: (group, config) => new TimesWriter(group, config)
})

export default definePlugin({
  name: 'writer-samples',
  version: '1.0.0',
  api: API,
  summary: 'Writes fast sample environment (se00, senv) and time stamps of choppers (tdct) as NXlog.',
  apply(registry) {
    registry.writer(samples('se00'))
    registry.writer(samples('senv'))
    registry.writer(tdct)
  }
})
