// Source part `pva`: one pvAccess channel to updates.
import { alarmOfPva, NO_ALARM } from '../shared/alarm.js'
import { type PvaChannel, type PvaListener } from './channel.js'
import { type PvaClient } from './client.js'
import { type MonitorState } from './state.js'
import { Code, NUMERIC } from './types.js'
import { textOfBytes } from '../shared/text.js'
import { unixNs } from '../shared/time.js'
import { Connection, type Alarm, nowNs, type Update, type Vector, type VectorType } from '../../../schemas/index.js'

type Shape = 'scalar' | 'array' | 'enum' | 'structure'

/** How to take an update out of the content of one channel: its shape and the numbers of the fields. */
interface Layout {
  readonly state: MonitorState
  readonly shape: Shape
  readonly dtype: Update['dtype']
  readonly value: number
  readonly severity: number
  readonly status: number
  readonly message: number
  readonly seconds: number
  readonly nanoseconds: number
  readonly units: number
  readonly precision: number
  readonly format: number
  readonly choices: number
}

export interface PvaChannelConfig {
  readonly name: string
  /** int8 and uint8 arrays are text. */
  readonly isText: boolean
  /** Dotted names; [] for all. */
  readonly fields: readonly string[]
  /** More than 0: flow control. */
  readonly queueSize: number
}

/** Monitors one channel until `close`. */
export class PvaSubscription implements PvaListener {
  readonly #client: PvaClient
  readonly #name: string
  readonly #isText: boolean
  readonly #emit: (update: Update) => void
  readonly #channel: PvaChannel
  #layout: Layout | null = null
  #isFirst = true
  #isClosed = false
  #alarm: Alarm = NO_ALARM
  /** What the alarm was made from. */
  #severity = 0
  #status = 0
  #message = ''
  #units = ''
  #precision: number | null = null
  /** What the precision was made from, where it is not given as such. */
  #format = ''
  #enumStrings: readonly string[] | null = null

  constructor(client: PvaClient, config: PvaChannelConfig, emit: (update: Update) => void) {
    const { name, isText, fields, queueSize } = config
    this.#client = client
    this.#name = name
    this.#isText = isText
    this.#emit = emit
    this.#channel = client.monitor({ name, fields, queueSize }, this)
    // Not from within `open`: the receiver has no subscription yet.
    queueMicrotask(() => {
      if (!this.#isClosed) this.#connection(Connection.NEVER_CONNECTED)
    })
  }

  close(): void {
    this.#isClosed = true
    this.#client.remove(this.#channel)
  }

  pause(): void {
    this.#client.setPaused(this.#channel, true)
  }

  resume(): void {
    this.#client.setPaused(this.#channel, false)
  }

  onConnect(state: MonitorState): void {
    this.#layout = layoutOf(state, this.#isText)
    this.#isFirst = true
    this.#connection(Connection.CONNECTED)
  }

  onUpdate(): void {
    const layout = this.#layout as Layout
    const { state } = layout
    const first = this.#isFirst
    this.#isFirst = false
    if (first) this.#forget()
    this.#updateAlarm(layout)
    if (layout.units >= 0) this.#units = state.get(layout.units) as string
    if (layout.precision >= 0) this.#precision = state.get(layout.precision) as number
    else if (layout.format >= 0) this.#updatePrecision(state.get(layout.format) as string)
    if (layout.choices >= 0) this.#enumStrings = state.get(layout.choices) as readonly string[]
    this.#emit({
      kind: 'value',
      source: this.#name,
      timestampNs: timeOf(layout),
      dtype: layout.dtype,
      value: valueOf(layout),
      alarm: this.#alarm,
      units: this.#units,
      precision: this.#precision,
      enumStrings: this.#enumStrings,
      connection: Connection.CONNECTED,
      first,
      repeat: false,
      giveBack: state.lend()
    })
  }

  onDisconnect(_reason: string, isRefused: boolean): void {
    this.#connection(isRefused ? Connection.REMOTE_ERROR : Connection.DISCONNECTED)
  }

  /** The channel may have come back as another type, which lacks what the one before had. */
  #forget(): void {
    this.#alarm = NO_ALARM
    this.#severity = this.#status = 0
    this.#message = this.#format = this.#units = ''
    this.#precision = this.#enumStrings = null
  }

  #updateAlarm({ state, severity, status, message }: Layout): void {
    if (severity < 0) return
    const level = state.get(severity) as number
    const kind = status < 0 ? 0 : (state.get(status) as number)
    const text = message < 0 ? '' : (state.get(message) as string)
    if (level === this.#severity && kind === this.#status && text === this.#message) return
    this.#severity = level
    this.#status = kind
    this.#message = text
    this.#alarm = alarmOfPva(level, kind, text, this.#layout?.shape === 'enum')
  }

  #updatePrecision(format: string): void {
    if (format === this.#format) return
    this.#format = format
    this.#precision = precisionOf(format)
  }

  #connection(connection: number): void {
    this.#emit({
      kind: 'connection',
      source: this.#name,
      timestampNs: nowNs(),
      dtype: this.#layout?.dtype ?? 'float64',
      value: null,
      alarm: this.#alarm,
      units: this.#units,
      precision: this.#precision,
      enumStrings: this.#enumStrings,
      connection,
      first: false,
      repeat: false
    })
  }
}

/** Types whose `value` is not the whole content. */
const NOT_PLAIN = /^epics:nt\/NT(?!Scalar:|ScalarArray:|Enum:)/

export function layoutOf(state: MonitorState, isText: boolean): Layout {
  // Fields of another type than the normative one are as good as absent.
  const scalar = (path: string, ...codes: number[]): number => {
    const index = state.indexOf(path)
    const type = state.typeOf(index)
    return type?.kind === 'scalar' && codes.includes(type.code) ? index : -1
  }
  return {
    state,
    ...plainValue(state, isText),
    severity: scalar('alarm.severity', Code.INT32),
    status: scalar('alarm.status', Code.INT32),
    message: scalar('alarm.message', Code.STRING),
    seconds: scalar('timeStamp.secondsPastEpoch', Code.INT64),
    nanoseconds: scalar('timeStamp.nanoseconds', Code.INT32),
    units: scalar('display.units', Code.STRING),
    precision: scalar('display.precision', Code.INT32),
    format: scalar('display.format', Code.STRING)
  }
}

function plainValue(state: MonitorState, isText: boolean): Pick<Layout, 'shape' | 'dtype' | 'value' | 'choices'> {
  const structure = { shape: 'structure', dtype: 'structure', value: 0, choices: -1 } as const
  const value = state.indexOf('value')
  const type = state.typeOf(value)
  if (NOT_PLAIN.test(state.type.id) || type === undefined) return structure
  if (type.kind === 'scalar') return { shape: 'scalar', dtype: dtypeOf(type.code), value, choices: -1 }
  if (type.kind === 'array') {
    const asText = isText && (type.code === Code.INT8 || type.code === Code.UINT8)
    // Boolean arrays are bytes of 0 and 1.
    const dtype = asText ? 'string' : type.code === Code.BOOLEAN ? 'uint8' : dtypeOf(type.code)
    return { shape: 'array', dtype, value, choices: -1 }
  }
  const index = state.typeOf(state.indexOf('value.index'))
  const choices = state.typeOf(state.indexOf('value.choices'))
  if (index?.kind !== 'scalar' || index.code !== Code.INT32) return structure
  if (choices?.kind !== 'array' || choices.code !== Code.STRING) return structure
  return { shape: 'enum', dtype: 'enum', value: state.indexOf('value.index'), choices: state.indexOf('value.choices') }
}

function dtypeOf(code: number): Update['dtype'] {
  if (code === Code.STRING) return 'string'
  return code === Code.BOOLEAN ? 'bool' : (NUMERIC.get(code)?.dtype as VectorType)
}

function valueOf({ state, shape, dtype, value }: Layout): Update['value'] {
  if (shape === 'structure') return state.structure()
  const held = state.get(value)
  if (shape === 'array' && dtype === 'string' && !Array.isArray(held)) return textOfBytes((held as Vector).bytes)
  return held as Update['value']
}

/** Digits behind the point in a printf format, `%.3f`; null: it names none. */
function precisionOf(format: string): number | null {
  const digits = /%[-+ #0]*\d*\.(\d{1,2})[efg]/i.exec(format)?.[1]
  return digits === undefined ? null : Number(digits)
}

function timeOf({ state, seconds, nanoseconds }: Layout): bigint {
  if (seconds < 0) return 0n
  return unixNs(state.get(seconds) as number, nanoseconds < 0 ? 0 : (state.get(nanoseconds) as number))
}
