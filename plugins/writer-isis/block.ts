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
import { type Alarmed, blocksOf, periodsOf, type RunPeriods } from './run-state.js'

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
/** Of those that wait for their period; then the older half goes to the periods that are known. */
const MOST_VALUES = 1 << 14

/** Of one period. */
interface BlockPeriod {
  last: number | string
  least: number
  most: number
}

export class BlockWriter implements Writer<LogRecord>, Alarmed {
  readonly #value: Column
  readonly #time: SecondsColumn
  readonly #valid: Column
  readonly #alarmTime: SecondsColumn
  readonly #severity: Column
  readonly #status: Column
  readonly #periods: RunPeriods
  /** Values whose period may not be known yet. */
  readonly #values: { readonly timeNs: bigint; readonly value: number | string }[] = []
  readonly #byPeriod = new Map<number, BlockPeriod>()
  /** The value at the last one, and changes of period up to it. */
  #held: number | string | undefined
  #folded = 0
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
    this.#periods = periodsOf(context)
    blocksOf(context).set(group.path, this)
    for (const name of ['read_control', 'set_control']) group.dataset(name, '', { dtype: 'string' })
    group.dataset('vi_name', config.vi_name, { dtype: 'string' })
  }

  write({ value, timestampNs, alarm }: LogRecord): void {
    const one = this.#single(value)
    if (alarm !== undefined) this.note(timestampNs, alarm)
    if (typeof one === 'string') this.#value.appendString(one)
    else this.#value.appendNumber(this.#config.dtype === 'int32' ? Math.trunc(one) : one)
    this.#time.append(timestampNs)
    this.#valid.appendNumber(this.#alarm >= INVALID ? 0 : 1)
    this.#values.push({ timeNs: timestampNs, value: one })
    if (this.#values.length > MOST_VALUES) this.#fold(MOST_VALUES / 2)
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
    this.#fold(this.#values.length)
    for (const { period } of this.#periods.changes.slice(this.#folded)) this.#begin(period)
    const held = this.#held
    if (held === undefined) return
    const none = { last: held, least: Number(held), most: Number(held) }
    const periods = Array.from({ length: this.#periods.number }, (_, i) => this.#byPeriod.get(i + 1) ?? none)
    const attributes = { units }
    if (dtype === 'string') {
      this.#group.dataset('value', periods.map(({ last }) => String(last)), { dtype: 'string', attributes }) // prettier-ignore
      return
    }
    this.#group.dataset('value', periods.map(({ last }) => Number(last)), { dtype: 'float32', attributes }) // prettier-ignore
    const spread = periods.map(({ least, most }) => most - least)
    this.#group.dataset('value_spread', spread, { dtype: 'float32', attributes })
  }

  /** Throws BadMessage. */
  #single(value: LogRecord['value']): number | string {
    if (this.#config.dtype === 'string') {
      if (isVector(value)) throw new BadMessage('number_for_text', 'an array of numbers for a text')
      return typeof value === 'object' ? (value[0] ?? '') : String(value)
    }
    if (typeof value !== 'number' && typeof value !== 'bigint')
      throw new BadMessage(isVector(value) ? 'array_for_scalar' : 'text_for_number', 'a block has one number')
    const number = Number(value)
    if (this.#config.dtype === 'int32' && (!Number.isFinite(number) || Math.abs(number) >= 2 ** 31))
      throw new BadMessage('out_of_range', `${number} does not fit into int32`)
    return number
  }

  /** The first `n` values to their periods, as those are known by now. */
  #fold(n: number): void {
    const { changes } = this.#periods
    for (const { timeNs, value } of this.#values.splice(0, n)) {
      for (let next = changes[this.#folded]; next !== undefined && next.timeNs < timeNs; next = changes[this.#folded])
        this.#begin(next.period)
      this.#held = value
      this.#add(this.#periods.at(timeNs), value)
    }
  }

  /** A period begins with the value that holds then. */
  #begin(period: number): void {
    this.#folded++
    if (this.#held !== undefined) this.#add(period, this.#held)
  }

  #add(period: number, value: number | string): void {
    const known = this.#byPeriod.get(period)
    const as = Number(value)
    if (known === undefined) this.#byPeriod.set(period, { last: value, least: as, most: as })
    else Object.assign(known, { last: value, least: Math.min(known.least, as), most: Math.max(known.most, as) })
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
