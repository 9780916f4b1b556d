// NXlog writers: f142 and f144 values with times, cues, alarms of f142 and summary values.
import { API, CodedError, definePlugin, type Options } from '../../core/api/plugin.js'
import { AlarmColumns } from './alarms.js'
import { mantidLog } from './mantid.js'
import { logConfig } from './options.js'
import {
  type Attributes,
  type Column,
  defineWriter,
  type Group,
  timeAttributes,
  type Writer,
  type WriterContext
} from '../service-filewriter/writer-kit.js'
import { isText, ValueColumn } from './values.js'
import { type LogRecord, type Scalar } from '../../schemas/index.js'

type Config = Options<typeof logConfig>

const names = ['minimum_value', 'maximum_value', 'average_value'] as const

class LogWriter implements Writer<LogRecord> {
  readonly #values: ValueColumn
  readonly #time: Column
  readonly #cueIndex: Column
  readonly #cueTime: Column
  readonly #alarms: AlarmColumns | null
  readonly #interval: number
  readonly #units: string | undefined
  #sinceCue = 0

  readonly #group: Group
  readonly #config: Config

  constructor(group: Group, config: Config, context: WriterContext, module: 'f142' | 'f144') {
    this.#group = group
    this.#config = config

    const dtype = config.dtype ?? config.type ?? 'double'
    const given = config.unit ?? config.units ?? config.value_units
    // The field's f144 writer always sets units, its f142 writer only when asked
    this.#units = isText(dtype) ? given : (given ?? (module === 'f144' ? '' : undefined))
    const chunk = config.chunk_size
    const size = Math.max(1, config.array_size)
    this.#values = new ValueColumn(
      group,
      {
        dtype,
        size,
        chunk,
        units: this.#units,
        stringSize: config.string_size,
        latest: config.store_latest_into !== undefined
      },
      context
    )
    this.#time = group.column('time', { dtype: 'uint64', chunk, index: true, attributes: timeAttributes })
    this.#cueIndex = group.column('cue_index', { dtype: 'int64', chunk, index: true })
    this.#cueTime = group.column('cue_timestamp_zero', {
      dtype: 'int64',
      chunk,
      index: true,
      attributes: timeAttributes
    })
    this.#alarms = module === 'f142' ? new AlarmColumns(group, chunk) : null
    this.#interval = cueInterval(config, size)
    const latest = config.store_latest_into
    if (latest !== undefined && group.has(latest))
      throw new CodedError('STRUCTURE_INVALID', `store_latest_into: '${latest}' is made already`)
    if (!isText(dtype)) {
      group.attribute('signal', 'value')
      group.attribute('axes', size > 1 ? ['time', '.'] : ['time'])
    }
  }

  write(record: LogRecord): void {
    this.#values.append(record)
    this.#time.appendBigInt(record.timestampNs)
    if (++this.#sinceCue >= this.#interval) this.#cue(record.timestampNs)
    if (record.alarm !== undefined) this.#alarms?.append(record.alarm, record.timestampNs)
  }

  writeScalar(scalar: Scalar): void {
    this.#values.appendNumber(scalar)
    this.#time.appendHalves(scalar.timeHigh, scalar.timeLow)
    if (++this.#sinceCue >= this.#interval) this.#cue(scalar.timestampNs)
    if (scalar.severity >= 0) this.#alarms?.append(scalar, scalar.timestampNs)
  }

  #cue(timestampNs: bigint): void {
    this.#sinceCue = 0
    this.#cueIndex.appendNumber(this.#values.length - 1)
    this.#cueTime.appendBigInt(timestampNs)
  }

  close(): void {
    const values = this.#values,
      group = this.#group,
      config = this.#config
    if (values.isArray && config.array_size <= 1 && values.hasNumbers)
      group.datasetAttribute('.', 'axes', ['time', '.'])
    if (config.meta_data && values.hasNumbers) {
      const attributes: Attributes = this.#units === undefined ? {} : { units: this.#units }
      const summary = [values.minimum, values.maximum, values.average]
      for (const [i, name] of names.entries()) group.dataset(name, summary[i] ?? NaN, { dtype: 'float64', attributes })
    }
    if (config.store_latest_into !== undefined) values.writeLatest(group, config.store_latest_into)
  }
}

/** In values; the 2018 writer counted bytes of 8-byte values. */
function cueInterval(config: Config, size: number): number {
  const indices = (config.nexus as { indices?: { index_every_kb?: unknown; index_every_mb?: unknown } } | undefined)
    ?.indices
  const kb = Number(indices?.index_every_kb ?? Number(indices?.index_every_mb ?? NaN) * 1024)
  return Number.isFinite(kb) && kb > 0 ? Math.max(1, Math.floor((kb * 1024) / (8 * size))) : config.cue_interval
}

const common = {
  mantid: {
    // Arrays are nothing that Mantid takes
    logs: ({ array_size: size, dtype, type, unit, units, value_units, string_size, chunk_size }: Config) =>
      size > 1
        ? []
        : [
            {
              module: 'mantid_log',
              config: {
                ...ifGiven('dtype', dtype ?? type),
                ...ifGiven('units', unit ?? units ?? value_units),
                string_size,
                chunk_size
              }
            }
          ]
  },
  config: logConfig,
  nxClass: 'NXlog',
  keepsLast: true,
  madeAtClose: ({ meta_data: summary, store_latest_into: latest, dtype, type }: Config) => [
    ...(summary && !isText(dtype ?? type ?? 'double') ? names : []),
    ...(latest === undefined ? [] : [latest])
  ]
} as const

const ifGiven = (key: string, value: string | undefined): object => (value === undefined ? {} : { [key]: value })

const f142 = defineWriter({
  ...common,
  id: 'f142',
  summary: 'Values and alarms of f142 messages as NXlog.',
  accepts: ['f142'],
  open: (group, config, context) => new LogWriter(group, config, context, 'f142')
})

const f144 = defineWriter({
  ...common,
  id: 'f144',
  summary: 'Values of f144 messages as NXlog, with alarms (al00) and connection state (ep01) beside them.',
  accepts: ['f144'],
  companions: (config) => [
    ...(config.enable_alarm_info ? ['al00'] : []),
    ...(config.enable_epics_con_info ? ['ep01'] : []),
    ...(config.enable_units_info ? ['un00'] : [])
  ],
  open: (group, config, context) => new LogWriter(group, config, context, 'f144')
})

const nxlog = defineWriter({
  ...common,
  id: 'NXlog',
  summary: 'Values of f142 and f144 messages as NXlog, with the alarms of f142.',
  accepts: ['f142', 'f144'],
  open: (group, config, context) => new LogWriter(group, config, context, 'f142')
})

export default definePlugin({
  name: 'writer-nxlog',
  version: '1.0.0',
  api: API,
  summary: 'Writes slow control values (f142, f144) as NXlog.',
  apply(registry) {
    registry.writer(f142)
    registry.writer(f144)
    registry.writer(nxlog)
    registry.writer(mantidLog)
  }
})
