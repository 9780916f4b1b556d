// The source part `amor`: one channel for the detector, one for the monitor; paced as the real thing or as fast as the reader takes it.
import { type Context, type JSONSchema, type Options, type Subscription } from '../../core/api/plugin.js'
import { defineSource, type Update } from '../../schemas/index.js'
import { detectorPulse, monitorPulse, type PulseEvents } from './amor.js'

const config = {
  type: 'object',
  required: ['channel'],
  properties: {
    channel: { type: 'string', enum: ['amor_detector', 'amor_monitor'], description: 'What to read out.' },
    seed: { type: 'integer', minimum: 0, default: 1, description: 'The same seed gives the same events.' },
    pulse_rate: { type: 'number', minimum: 0.001, maximum: 100_000, default: 14, description: 'Pulses per second.' },
    events_per_pulse: {
      type: 'integer',
      minimum: 0,
      maximum: 50_000_000,
      default: 1000,
      description: 'Detector events in each pulse.'
    },
    event_rate: {
      type: 'number',
      minimum: 0,
      description: 'Detector events per second, instead of events_per_pulse; spread over the pulses to the event.'
    },
    monitor_events_per_pulse: {
      type: 'integer',
      minimum: 0,
      maximum: 50_000_000,
      default: 100,
      description: 'Monitor events in each pulse.'
    },
    pulses: { type: 'integer', minimum: 1, description: 'End after so many pulses; without it the source runs on.' },
    start_time: {
      type: 'string',
      format: 'date-time',
      description: 'Time of the first pulse (RFC 3339, to the ns); default now.'
    },
    paced: {
      type: 'boolean',
      default: true,
      description: 'Pulses come in real time; false: as fast as they are taken (with start_time: a history).'
    }
  },
  additionalProperties: false
} as const satisfies JSONSchema

type Config = Options<typeof config>

/** ns since the epoch of an RFC 3339 time, with up to nine digits after the second. */
export function parseTimeNs(text: string): bigint {
  const match = /^(.+?\d{2}:\d{2}:\d{2})(?:\.(\d{1,9})\d*)?(Z|z|[+-]\d{2}:\d{2})$/.exec(text)
  const ms = Date.parse(match === null ? text : `${match[1]}${match[3]}`)
  if (Number.isNaN(ms)) throw new RangeError(`'${text}' is not a date-time`)
  return BigInt(ms) * 1_000_000n + BigInt((match?.[2] ?? '').padEnd(9, '0'))
}

/** When pulse n comes after the first, ns: exact for any n. */
export function pulseOffsetNs(pulse: number, ratePerSecond: number): bigint {
  return (BigInt(pulse) * 1_000_000_000_000n) / BigInt(Math.round(ratePerSecond * 1000))
}

/** Events in pulse n when `rate` events per second are spread over the pulses: the sums are exact to the event. */
export function eventsInPulse(pulse: number, eventsPerPulse: number): number {
  return Math.floor((pulse + 1) * eventsPerPulse) - Math.floor(pulse * eventsPerPulse)
}

class Generator implements Subscription {
  readonly #startNs: bigint
  readonly #openedMs = performance.now()
  readonly #perPulse: number
  readonly #make: (seed: number, pulse: number, events: number) => PulseEvents
  #pulse = 0
  #paused = false
  #closed = false
  #timer: NodeJS.Timeout | undefined
  #immediate: NodeJS.Immediate | undefined

  constructor(
    readonly config: Config,
    readonly signal: AbortSignal,
    readonly emit: (update: Update) => void
  ) {
    this.#startNs = config.start_time === undefined ? BigInt(Date.now()) * 1_000_000n : parseTimeNs(config.start_time)
    const detector = config.channel === 'amor_detector'
    this.#make = detector ? detectorPulse : monitorPulse
    this.#perPulse = detector
      ? config.event_rate === undefined
        ? config.events_per_pulse
        : config.event_rate / config.pulse_rate
      : config.monitor_events_per_pulse
    signal.addEventListener('abort', this.close, { once: true })
    this.#immediate = setImmediate(this.#begin)
  }

  readonly close = (): void => {
    this.#closed = true
    this.signal.removeEventListener('abort', this.close)
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    clearImmediate(this.#immediate)
    if (!this.#closed) this.#immediate = setImmediate(this.#run)
  }

  readonly #begin = (): void => {
    this.#emitConnection(2)
    this.#run()
  }

  /** Emits what is due; for at most 5 ms in one go, so that the event loop stays free. */
  readonly #run = (): void => {
    clearTimeout(this.#timer)
    const until = performance.now() + 5
    while (!this.#paused && !this.#closed) {
      if (this.#pulse === this.config.pulses) return this.#finish()
      const now = performance.now()
      const due = this.config.paced ? this.#dueMs() : 0
      if (due > now) {
        this.#timer = setTimeout(this.#run, due - now)
        return
      }
      if (now > until) {
        this.#immediate = setImmediate(this.#run)
        return
      }
      this.#emitPulse()
    }
  }

  #dueMs(): number {
    return this.#openedMs + (this.#pulse * 1000) / this.config.pulse_rate
  }

  #finish(): void {
    this.close()
    this.#emitConnection(6)
  }

  #emitPulse(): void {
    const pulse = this.#pulse++
    const count = eventsInPulse(pulse, this.#perPulse)
    const { timeOfFlight, pixelId } = this.#make(this.config.seed, pulse, count)
    const timestampNs = this.#startNs + pulseOffsetNs(pulse, this.config.pulse_rate)
    const time = new Uint8Array(8)
    new DataView(time.buffer).setBigInt64(0, timestampNs, true)
    this.emit({
      ...this.#blank(timestampNs, 2),
      first: pulse === 0,
      events: {
        source: this.config.channel,
        messageId: BigInt(pulse),
        referenceTime: { dtype: 'int64', length: 1, bytes: time },
        referenceTimeIndex: { dtype: 'int32', length: 1, bytes: new Uint8Array(4) },
        timeOfFlight: { dtype: 'int32', length: count, bytes: timeOfFlight },
        pixelId: { dtype: 'int32', length: count, bytes: pixelId }
      }
    })
  }

  #emitConnection(code: number): void {
    this.emit({ ...this.#blank(BigInt(Date.now()) * 1_000_000n, code), kind: 'connection' })
  }

  #blank(timestampNs: bigint, connection: number): Update {
    return {
      kind: 'value',
      source: this.config.channel,
      timestampNs,
      dtype: 'structure',
      value: null,
      alarm: { severity: 0, status: 0, message: '' },
      units: '',
      precision: null,
      enumStrings: null,
      connection,
      first: false,
      repeat: false
    }
  }
}

export const amor = defineSource({
  id: 'amor',
  summary: 'A virtual time-of-flight reflectometer: detector and monitor events, the same for the same seed.',
  config,
  open: (config, context: Context, emit) => new Generator(config, context.signal, emit)
})
