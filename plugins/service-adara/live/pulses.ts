// Gathers what belongs to one pulse: events of all banks and monitors and its charge, which come in messages of their own.
import { element, type EventRecord, type PulseRecord } from '../../../schemas/index.js'
import {
  type AdaraBank,
  type AdaraMonitor,
  type AdaraPulse,
  bankedEventsPacket,
  isWireTime,
  monitorEventsPacket,
  MOST_MONITOR_TIME
} from '../wire/packets.js'

/** pC in a µAh: 3600 s of a µC each. */
const PC_PER_UAH = 3.6e9
const NS_PER_UNIT = 100
const CYCLES = 2 ** 31

/** Where events of a source go. */
export type Destination =
  { readonly kind: 'bank'; readonly bank: number } | { readonly kind: 'monitor'; readonly monitor: number }

interface Gathered {
  readonly sinceMs: number
  readonly banks: Map<number, number[]>
  readonly monitors: Map<number, number[]>
  chargePc: number
  vetoes: number
}

export interface GathererOptions {
  /** A pulse is sent so long after the first that came of it. */
  readonly gatherMs: number
  /** Pulses that may wait; then the oldest is sent early. */
  readonly mostPulses: number
  /** eV, of the beam. */
  readonly energyEv: number
  readonly pulseLengthNs: number
  readonly send: (packets: readonly Buffer[]) => void
  readonly count: (reason: string, n: number) => void
}

export class PulseGatherer {
  pulses = 0
  events = 0
  #cycle = 0
  #lastNs = -1n
  readonly #waiting = new Map<bigint, Gathered>()

  readonly #options: GathererOptions

  constructor(options: GathererOptions) {
    this.#options = options
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** Events of one or several pulses. Those without a pixel get 0. */
  take(record: EventRecord, to: Destination, nowMs: number): void {
    const { referenceTime, referenceTimeIndex, timeOfFlight, facility } = record
    const pulses = referenceTime.length
    let end = timeOfFlight.length
    for (let i = pulses - 1; i >= 0; i--) {
      const first = referenceTimeIndex === null ? 0 : Number(element(referenceTimeIndex, i))
      // A negative index means: no events
      const start = first < 0 ? end : first
      // Counted below: of none of them it is known when they were
      if (start > end) break
      const timeNs = element(referenceTime, i) as bigint
      if (!isWireTime(timeNs)) {
        this.#options.count('pulse_time', Math.max(1, end - start))
        end = start
        continue
      }
      const pulse = this.#pulse(timeNs, nowMs)
      if (facility?.type === 'isis') pulse.chargePc = chargeOf(facility.protonCharge) ?? pulse.chargePc
      this.#add(record, start, end, pulse, to)
      end = start
    }
    if (end > 0) this.#options.count('pulse_index', end)
    this.#bound()
  }

  charge({ timestampNs, protonCharge, vetos }: PulseRecord, nowMs: number): void {
    if (!isWireTime(timestampNs)) return this.#options.count('pulse_time', 1)
    const pulse = this.#pulse(timestampNs, nowMs)
    pulse.chargePc = chargeOf(protonCharge) ?? pulse.chargePc
    pulse.vetoes = (vetos ?? 0) & 0xfff
    this.#bound()
  }

  /** Sends what has waited long enough, and all before it, in the order of pulse times. */
  tick(nowMs: number): void {
    const { gatherMs } = this.#options
    let newest = -1n
    for (const [timeNs, { sinceMs }] of this.#waiting)
      if (nowMs - sinceMs >= gatherMs && timeNs > newest) newest = timeNs
    if (newest >= 0n) this.#sendUpTo(newest)
  }

  /** All that waits, however short. */
  flush(): void {
    const times = [...this.#waiting.keys()]
    if (times.length > 0) this.#sendUpTo(times.reduce((a, b) => (a > b ? a : b)))
  }

  #pulse(timeNs: bigint, nowMs: number): Gathered {
    let pulse = this.#waiting.get(timeNs)
    if (pulse !== undefined) return pulse
    pulse = { sinceMs: nowMs, banks: new Map(), monitors: new Map(), chargePc: 0, vetoes: 0 }
    this.#waiting.set(timeNs, pulse)
    return pulse
  }

  /** One message may bring many pulses. */
  #bound(): void {
    const tooMany = this.#waiting.size - this.#options.mostPulses
    if (tooMany <= 0) return
    const times = [...this.#waiting.keys()].sort((a, b) => (a < b ? -1 : 1))
    const last = times[tooMany - 1]
    if (last !== undefined) this.#sendUpTo(last)
  }

  #add({ timeOfFlight, pixelId }: EventRecord, start: number, end: number, pulse: Gathered, to: Destination): void {
    const isBank = to.kind === 'bank'
    const [into, key] = isBank ? [pulse.banks, to.bank] : [pulse.monitors, to.monitor]
    const list = into.get(key) ?? []
    into.set(key, list)
    let wrong = 0
    for (let i = start; i < end; i++) {
      const time = Math.round(Number(element(timeOfFlight, i)) / NS_PER_UNIT)
      const pixel = pixelId.length === 0 ? 0 : Number(element(pixelId, i))
      if (time < 0 || pixel < 0 || (!isBank && time > MOST_MONITOR_TIME)) wrong++
      else if (isBank) list.push(time, pixel)
      else list.push(time)
    }
    if (wrong > 0) this.#options.count('out_of_range', wrong)
    this.events += end - start - wrong
  }

  #sendUpTo(timeNs: bigint): void {
    const due = [...this.#waiting].filter(([one]) => one <= timeNs).sort(([a], [b]) => (a < b ? -1 : 1))
    for (const [one, pulse] of due) {
      this.#waiting.delete(one)
      this.#send(one, pulse)
    }
  }

  #send(timeNs: bigint, { banks, monitors, chargePc, vetoes }: Gathered): void {
    const { energyEv, pulseLengthNs, send, count } = this.#options
    // What came too late for its pulse, or for its turn: a packet of its own, with the time that it has
    if (timeNs <= this.#lastNs) count('late', 1)
    else this.#lastNs = timeNs
    const pulse: AdaraPulse = { timeNs, chargePc, energyEv, cycle: this.#cycle, vetoes }
    this.#cycle = (this.#cycle + 1) % CYCLES
    this.pulses++
    const listed: AdaraBank[] = [...banks].map(([bank, events]) => ({ bank, events: Uint32Array.from(events) }))
    const counted: AdaraMonitor[] = [...monitors].map(([monitor, times]) => ({ monitor, source: monitor, times: Uint32Array.from(times) })) // prettier-ignore
    const sources = listed.length === 0 ? [] : [{ source: 1, pulseLengthNs, banks: listed }]
    const packets = [bankedEventsPacket(pulse, sources)]
    if (counted.length > 0) packets.push(monitorEventsPacket(pulse, counted))
    send(packets)
  }
}

const chargeOf = (uah: number | null): number | undefined =>
  uah !== null && Number.isFinite(uah) && uah >= 0 ? uah * PC_PER_UAH : undefined
