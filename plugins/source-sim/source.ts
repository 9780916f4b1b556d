// The source part `sim`: one channel with values of a chosen shape and rate, and EPICS-like alarm limits.
import { type JSONSchema, type Options, type Subscription } from '../../core/api/plugin.js'
import { type Alarm, defineSource, type Update } from '../../schemas/index.js'

const config = {
  type: 'object',
  required: ['channel'],
  properties: {
    channel: { type: 'string', minLength: 1, description: 'Name of the channel.' },
    shape: {
      type: 'string',
      enum: ['random', 'sine', 'counter', 'step'],
      default: 'random',
      description: 'random: whole numbers from 0 to 100; sine; counter: 0, 1, 2, …; step: low and high in turn.'
    },
    rate: { type: 'number', minimum: 0.001, maximum: 100_000, default: 1, description: 'Values per second.' },
    seed: { type: 'integer', minimum: 0, default: 1, description: 'The same seed and channel give the same values.' },
    updates: { type: 'integer', minimum: 1, description: 'End after so many values; without it the channel runs on.' },
    dtype: {
      type: 'string',
      enum: ['int32', 'float64', 'string'],
      description: 'Type of the values; default int32 for random and counter, float64 for the others.'
    },
    length: { type: 'integer', minimum: 1, maximum: 10_000_000, description: 'Values are arrays of this length.' },
    amplitude: { type: 'number', default: 1, description: 'Half the span of sine and step.' },
    offset: { type: 'number', default: 0, description: 'Centre of sine and step.' },
    period: { type: 'number', exclusiveMinimum: 0, default: 60, description: 'Period of sine and step, s.' },
    high: { type: 'number', description: 'From here on: alarm HIGH, severity MINOR.' },
    hihi: { type: 'number', description: 'From here on: alarm HIHI, severity MAJOR.' },
    units: { type: 'string', default: '', description: 'Unit of the values.' }
  },
  additionalProperties: false
} as const satisfies JSONSchema

type Config = Options<typeof config>

const calm: Alarm = { severity: 0, status: 0, message: '' }
const high: Alarm = { severity: 1, status: 4, message: 'HIGH' }
const hihi: Alarm = { severity: 2, status: 3, message: 'HIHI' }

/** FNV-1a over name and seed, then a counted mix: value n needs no value before it. */
function randomOf(channel: string, seed: number): (n: number) => number {
  let hash = 0x811c9dc5 ^ seed
  for (let i = 0; i < channel.length; i++) hash = Math.imul(hash ^ channel.charCodeAt(i), 0x01000193)
  return (n) => {
    let h = Math.imul(hash + Math.imul(n, 0x9e3779b9), 0x85ebca6b)
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
    return ((h ^ (h >>> 16)) >>> 0) / 0x1_0000_0000
  }
}

/** Value n of a channel. */
export function valueAt(config: Config, random: (n: number) => number, n: number): number {
  const phase = n / (config.rate * config.period)
  switch (config.shape) {
    case 'random':
      return Math.floor(random(n) * 101)
    case 'counter':
      return n
    case 'sine':
      return config.offset + config.amplitude * Math.sin(2 * Math.PI * phase)
    case 'step':
      return config.offset + (Math.floor(2 * phase) % 2 === 0 ? -config.amplitude : config.amplitude)
  }
}

function alarmOf(config: Config, value: number): Alarm {
  if (config.hihi !== undefined && value >= config.hihi) return hihi
  return config.high !== undefined && value >= config.high ? high : calm
}

class SimChannel implements Subscription {
  readonly #random: (n: number) => number
  readonly #dtype: 'int32' | 'float64' | 'string'
  readonly #beganMs = performance.now()
  readonly #timer: NodeJS.Timeout
  #n = 0
  #lastNs = 0n

  constructor(
    readonly config: Config,
    readonly signal: AbortSignal,
    readonly emit: (update: Update) => void
  ) {
    this.#random = randomOf(config.channel, config.seed)
    this.#dtype = config.dtype ?? (config.shape === 'random' || config.shape === 'counter' ? 'int32' : 'float64')
    signal.addEventListener('abort', this.close, { once: true })
    this.emit(this.#update('connection', 2, nowNs()))
    this.#timer = setInterval(this.#tick, Math.max(1, 1000 / config.rate))
    this.#tick()
  }

  readonly close = (): void => {
    this.signal.removeEventListener('abort', this.close)
    clearInterval(this.#timer)
  }

  /** Emits all values that are due by now; a late timer makes up for what it missed. */
  readonly #tick = (): void => {
    const due = 1 + Math.floor(((performance.now() - this.#beganMs) * this.config.rate) / 1000 + 1e-6)
    while (this.#n < due) {
      this.#emitValue()
      if (this.#n !== this.config.updates) continue
      this.close()
      this.emit(this.#update('connection', 6, nowNs()))
      return
    }
  }

  #emitValue(): void {
    const now = nowNs()
    this.#lastNs = now > this.#lastNs ? now : this.#lastNs + 1n
    const value = valueAt(this.config, this.#random, this.#n)
    const update = this.#update('value', 2, this.#lastNs)
    this.emit({ ...update, value: this.#shaped(value), alarm: alarmOf(this.config, value), first: this.#n === 0 })
    this.#n++
  }

  #shaped(value: number): Update['value'] {
    const { length } = this.config
    if (this.#dtype === 'string')
      return length === undefined ? String(value) : Array<string>(length).fill(String(value))
    if (length === undefined) return this.#dtype === 'int32' ? Math.trunc(value) : value
    const array = this.#dtype === 'int32' ? new Int32Array(length) : new Float64Array(length)
    array.fill(value)
    return { dtype: this.#dtype, length, bytes: new Uint8Array(array.buffer) }
  }

  #update(kind: 'value' | 'connection', connection: number, timestampNs: bigint): Update {
    return {
      kind,
      source: this.config.channel,
      timestampNs,
      dtype: this.#dtype,
      value: null,
      alarm: calm,
      units: this.config.units,
      precision: null,
      enumStrings: null,
      connection,
      first: false,
      repeat: false
    }
  }
}

const nowNs = (): bigint => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n

export const sim = defineSource({
  id: 'sim',
  summary: 'Simulated channels: random, sine, counter or step values at a chosen rate, with alarm limits.',
  config,
  open: (config, context, emit) => new SimChannel(config, context.signal, emit)
})
