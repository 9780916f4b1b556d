// Module `IXseblock`: a block of the sample environment as ISIS' own files have it, with its last value in each period.
import { BadMessage, type JSONSchema, type Options } from '../../core/api/plugin.js'
import { type AlarmRecord, isVector, type LogRecord } from '../../schemas/index.js'
import {
  type Column,
  type Group,
  SecondsColumn,
  type Writer,
  type WriterContext
} from '../service-filewriter/writer-kit.js'
import { type PeriodValue, PeriodValues } from './period-values.js'
import { type Alarmed, blocksOf, periodsOf } from './run-state.js'

export const blockConfig = {
  type: 'object',
  additionalProperties: false,
  properties: {
    dtype: { enum: ['double', 'float', 'int32', 'string'], default: 'double', description: 'Type of the values.' },
    units: { type: 'string', default: '', description: 'Attribute `units` of the values.' },
    vi_name: { type: 'string', default: '', description: 'Where the value comes from, in words.' },
    string_size: { type: 'integer', minimum: 1, maximum: 65_536, default: 128, description: 'Bytes of a text value.' }
  }
} as const satisfies JSONSchema

type BlockConfig = Options<typeof blockConfig>

const types = { double: 'float64', float: 'float32', int32: 'int32' } as const
const INVALID = 3
export class BlockWriter implements Writer<LogRecord>, Alarmed {
  readonly #value: Column
  readonly #time: SecondsColumn
  readonly #valid: Column
  readonly #alarmTime: SecondsColumn
  readonly #severity: Column
  readonly #status: Column
  readonly #values: PeriodValues
  #alarm = 0

  readonly #group: Group
  readonly #config: BlockConfig

  constructor(group: Group, config: BlockConfig, context: WriterContext) {
    this.#group = group
    this.#config = config
    const startNs = context.run?.startNs
    const isText = config.dtype === 'string'
    const log = group.group('value_log', { NX_class: 'NXlog', ...(!isText && { signal: 'value', axes: ['time'] }) })
    if (!isText) group.attribute('default', 'value_log')
    const { units } = config
    this.#value = log.column('value', {
      dtype: config.dtype === 'string' ? { string: config.string_size } : types[config.dtype],
      row: isText ? [1] : [],
      attributes: { units }
    })
    this.#time = new SecondsColumn(log, 'time', startNs)
    this.#valid = log.column('value_valid', { dtype: 'int32' })
    this.#alarmTime = new SecondsColumn(log, 'alarm_time', startNs)
    this.#severity = log.column('alarm_severity', { dtype: 'int32' })
    this.#status = log.column('alarm_status', { dtype: 'int32' })
    this.#values = new PeriodValues(periodsOf(context))
    blocksOf(context).set(group.path, this)
    for (const name of ['read_control', 'set_control']) group.dataset(name, '', { dtype: 'string' })
    group.dataset('vi_name', config.vi_name, { dtype: 'string' })
  }

  write({ value, timestampNs, alarm }: LogRecord): void {
    const one = single(value, this.#config.dtype)
    if (alarm !== undefined) this.note(timestampNs, alarm)
    if (typeof one === 'string') this.#value.appendString(one)
    else this.#value.appendNumber(this.#config.dtype === 'int32' ? Math.trunc(one) : one)
    this.#time.append(timestampNs)
    this.#valid.appendNumber(this.#alarm >= INVALID ? 0 : 1)
    this.#values.add(timestampNs, one)
  }

  /** An alarm, which values from now on have. */
  note(timeNs: bigint, { severity, status }: { readonly severity: number; readonly status: number }): void {
    this.#alarm = severity
    this.#alarmTime.append(timeNs)
    this.#severity.appendNumber(severity)
    this.#status.appendNumber(status)
  }

  close(): void {
    const { dtype, units } = this.#config
    writeByPeriod(this.#group, 'value', this.#values.finish(), { isText: dtype === 'string', units })
  }
}

/** Throws BadMessage. */
function single(value: LogRecord['value'], dtype: BlockConfig['dtype']): number | string {
  if (dtype === 'string') {
    if (isVector(value)) throw new BadMessage('number_for_text', 'an array of numbers for a text')
    return typeof value === 'object' ? (value[0] ?? '') : String(value)
  }
  if (typeof value !== 'number' && typeof value !== 'bigint')
    throw new BadMessage(isVector(value) ? 'array_for_scalar' : 'text_for_number', 'a block has one number')
  const number = Number(value)
  if (dtype === 'int32' && (!Number.isFinite(number) || Math.abs(number) >= 2 ** 31))
    throw new BadMessage('out_of_range', `${number} does not fit into int32`)
  return number
}

/** The last one of each period; of numbers their spread, too. */
function writeByPeriod(
  group: Group,
  name: 'value' | 'setpoint',
  periods: readonly PeriodValue[],
  { isText, units }: { readonly isText: boolean; readonly units: string }
): void {
  if (periods.length === 0) return
  const attributes = { units }
  if (isText) return group.dataset(name, periods.map(({ last }) => String(last)), { dtype: 'string', attributes }) // prettier-ignore
  group.dataset(name, periods.map(({ last }) => Number(last)), { dtype: 'float32', attributes }) // prettier-ignore
  group.dataset(`${name}_spread`, periods.map(({ least, most }) => most - least), { dtype: 'float32', attributes }) // prettier-ignore
}

export const setpointConfig = {
  type: 'object',
  additionalProperties: false,
  properties: { dtype: blockConfig.properties.dtype, units: blockConfig.properties.units }
} as const satisfies JSONSchema

/** What the block of the same group was set to. */
export class SetpointWriter implements Writer<LogRecord> {
  readonly #values: PeriodValues
  readonly #group: Group
  readonly #config: Options<typeof setpointConfig>

  constructor(group: Group, config: Options<typeof setpointConfig>, context: WriterContext) {
    this.#group = group
    this.#config = config
    this.#values = new PeriodValues(periodsOf(context))
  }

  write({ value, timestampNs }: LogRecord): void {
    this.#values.add(timestampNs, single(value, this.#config.dtype))
  }

  close(): void {
    const { dtype, units } = this.#config
    writeByPeriod(this.#group, 'setpoint', this.#values.finish(), { isText: dtype === 'string', units })
  }
}

/** Alarms of al00 for the block of the same group. */
export class BlockAlarmWriter implements Writer<AlarmRecord> {
  readonly #path: string
  readonly #context: WriterContext

  constructor(group: Group, context: WriterContext) {
    this.#path = group.path
    this.#context = context
  }

  write({ timestampNs, severity }: AlarmRecord): void {
    const block = blocksOf(this.#context).get(this.#path)
    if (block === undefined) throw new BadMessage('no_block', 'no IXseblock in the group of its alarms')
    block.note(timestampNs, { severity, status: 0 })
  }
}
