// Pulses of virtual instruments: when they come, paced as the real thing or as fast as the reader takes them.
import { type Subscription } from '../../core/api/plugin.js'
import { bareUpdate, type EventRecord, type Update } from '../../schemas/index.js'

/** Options that all instruments have, beside `channel`, `seed` and `pulse_rate`. */
export const pacing = {
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
} as const

export interface PulseConfig {
  readonly channel: string
  readonly pulse_rate: number
  readonly pulses?: number | undefined
  readonly start_time?: string | undefined
  readonly paced: boolean
}

/** What a channel has of a pulse. */
export type PulseMaker = (pulse: number, timestampNs: bigint) => Pick<Update, 'events' | 'records'>

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

/** Events of one pulse; vectors of int32. */
export function eventsOf(
  source: string,
  messageId: bigint,
  timestampNs: bigint,
  timeOfFlight: Uint8Array,
  pixelId: Uint8Array
): EventRecord {
  const length = timeOfFlight.length / 4
  const time = new Uint8Array(8)
  new DataView(time.buffer).setBigInt64(0, timestampNs, true)
  return {
    source,
    messageId,
    referenceTime: { dtype: 'int64', length: 1, bytes: time },
    referenceTimeIndex: { dtype: 'int32', length: 1, bytes: new Uint8Array(4) },
    timeOfFlight: { dtype: 'int32', length, bytes: timeOfFlight },
    pixelId: { dtype: 'int32', length, bytes: pixelId }
  }
}

export class PulseSource implements Subscription {
  readonly #startNs: bigint
  readonly #openedMs = performance.now()
  #pulse = 0
  #paused = false
  #closed = false
  #timer: NodeJS.Timeout | undefined
  #immediate: NodeJS.Immediate | undefined

  constructor(
    readonly config: PulseConfig,
    readonly make: PulseMaker,
    readonly signal: AbortSignal,
    readonly emit: (update: Update) => void
  ) {
    this.#startNs = config.start_time === undefined ? BigInt(Date.now()) * 1_000_000n : parseTimeNs(config.start_time)
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
    const timestampNs = this.#startNs + pulseOffsetNs(pulse, this.config.pulse_rate)
    this.emit({ ...bareUpdate(this.config.channel, timestampNs), first: pulse === 0, ...this.make(pulse, timestampNs) })
  }

  #emitConnection(code: number): void {
    this.emit({ ...bareUpdate(this.config.channel, BigInt(Date.now()) * 1_000_000n, code), kind: 'connection' })
  }
}
