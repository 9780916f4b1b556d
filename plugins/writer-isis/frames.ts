// Frames of a run: what pu00, ev44 and ev42 say of one pulse is put together, and handed on whole in the order of time.
import { BadMessage } from '../../core/api/plugin.js'
import { element, type EventRecord, type PulseRecord } from '../../schemas/index.js'

/** What is known of the pulse; null where no message told it. */
export interface FramePulse {
  /** As messages count: from 0. */
  readonly period: number
  readonly vetoes: number
  /** µAh. */
  readonly charge: number
}

export interface IsisFrame {
  readonly timeNs: bigint
  readonly pulse: FramePulse | null
  readonly events: number
  /** Parts that came one after the other: µs, and ids. */
  readonly parts: readonly { readonly offsets: Float32Array; readonly ids: Uint32Array }[]
  /** It, or more of it, came when it had been handed on. */
  readonly isLate: boolean
  /** Its pulse was handed on before, with other events of it. */
  readonly isMore: boolean
}

const MOST_BYTES = 1 << 25
const NS_PER_US = 1000
/** Pulses that are known of frames that have been handed on; at 50 Hz 20 minutes. */
const MOST_TOLD = 60_000

class Gathering {
  pulse: FramePulse | null = null
  events = 0
  readonly parts: { offsets: Float32Array; ids: Uint32Array }[] = []
}

export class FrameGatherer {
  readonly #frames = new Map<bigint, Gathering>()
  /** Of times that have been handed on, in the order they came in: a partition that is read after another brings many, whole. */
  readonly #late = new Map<bigint, Gathering>()
  /** Of frames that have been handed on: what comes late belongs to them. */
  readonly #told = new Map<bigint, FramePulse>()
  #bytes = 0
  #lastNs = -1n

  readonly #mostFrames: number
  readonly #take: (frame: IsisFrame) => void

  /** @param mostFrames - that wait for more of their own; as many late ones do */
  constructor(mostFrames: number, take: (frame: IsisFrame) => void) {
    this.#mostFrames = mostFrames
    this.#take = take
  }

  pulse({ timestampNs, vetos, period, protonCharge }: PulseRecord): void {
    const charge = protonCharge !== null && Number.isFinite(protonCharge) ? protonCharge : 0
    this.#frame(timestampNs).pulse = { period: period ?? 0, vetoes: vetos ?? 0, charge }
    this.#bound()
  }

  /** Gives the events before the first pulse, which are lost. Throws BadMessage before anything is taken. */
  events(record: EventRecord): number {
    const { referenceTime, timeOfFlight, pixelId, facility } = record
    const n = timeOfFlight.length
    if (pixelId.length !== n) throw new BadMessage('length_mismatch', `${pixelId.length} ids for ${n} events`)
    const starts = startsOf(record, n)
    for (const [i, start] of starts.entries()) {
      const frame = this.#frame(element(referenceTime, i) as bigint)
      if (facility?.type === 'isis') {
        const { periodNumber: period, protonCharge, runState } = facility
        // What stands in the state of the run is all that these say of vetoes
        const vetoes = /^running$/i.test(runState) || runState === '' ? 0 : 1
        frame.pulse = { period, vetoes, charge: Number.isFinite(protonCharge) ? protonCharge : 0 }
      }
      this.#add(frame, record, start, starts[i + 1] ?? n)
      this.#bound()
    }
    return starts[0] ?? 0
  }

  /** No more will come. */
  flush(): void {
    while (this.#late.size > 0) this.#handOnLate()
    while (this.#frames.size > 0) this.#handOn()
  }

  #frame(timeNs: bigint): Gathering {
    const known = this.#frames.get(timeNs) ?? this.#late.get(timeNs)
    if (known !== undefined) return known
    const frame = new Gathering()
    // Where all places are taken, the earliest would be handed on before the rest of it has come
    const isLate = timeNs <= this.#lastNs || (this.#frames.size >= this.#mostFrames && timeNs < this.#earliest())
    const into = isLate ? this.#late : this.#frames
    into.set(timeNs, frame)
    return frame
  }

  #add(frame: Gathering, { timeOfFlight, pixelId }: EventRecord, from: number, to: number): void {
    const n = to - from
    if (n === 0) return
    const offsets = new Float32Array(n)
    const ids = new Uint32Array(n)
    for (let i = 0; i < n; i++) {
      offsets[i] = Number(element(timeOfFlight, from + i)) / NS_PER_US
      ids[i] = Number(element(pixelId, from + i))
    }
    frame.parts.push({ offsets, ids })
    frame.events += n
    this.#bytes += 8 * n
  }

  #bound(): void {
    while (this.#late.size > this.#mostFrames || (this.#bytes > MOST_BYTES && this.#late.size > 1)) this.#handOnLate()
    while (this.#frames.size > this.#mostFrames || (this.#bytes > MOST_BYTES && this.#frames.size > 1)) this.#handOn()
  }

  /** The one that came first. */
  #handOnLate(): void {
    const [first] = this.#late.keys()
    if (first !== undefined) this.#give(this.#late, first, true)
  }

  #earliest(): bigint {
    let timeNs = -1n
    for (const one of this.#frames.keys()) if (timeNs < 0n || one < timeNs) timeNs = one
    return timeNs
  }

  #handOn(): void {
    const timeNs = this.#earliest()
    if (timeNs > this.#lastNs) this.#lastNs = timeNs
    this.#give(this.#frames, timeNs, false)
  }

  #give(from: Map<bigint, Gathering>, timeNs: bigint, isLate: boolean): void {
    const frame = from.get(timeNs)
    if (frame === undefined) return
    from.delete(timeNs)
    this.#bytes -= 8 * frame.events
    const before = this.#told.get(timeNs)
    const pulse = frame.pulse ?? before ?? null
    if (pulse !== null && before === undefined) this.#told.set(timeNs, pulse)
    const [oldest] = this.#told.keys()
    if (this.#told.size > MOST_TOLD && oldest !== undefined) this.#told.delete(oldest)
    this.#take({ timeNs, pulse, events: frame.events, parts: frame.parts, isLate, isMore: before !== undefined })
  }
}

/** First event of each pulse. Throws BadMessage. */
function startsOf({ referenceTime, referenceTimeIndex }: EventRecord, n: number): number[] {
  const pulses = referenceTime.length
  if (pulses === 0) throw new BadMessage('no_pulse', 'the message has no pulse time')
  if ((referenceTimeIndex?.length ?? 1) !== pulses)
    throw new BadMessage('length_mismatch', `${referenceTimeIndex?.length ?? 1} pulse indices for ${pulses} pulses`)
  const starts = new Array<number>(pulses)
  let next = n
  for (let i = pulses - 1; i >= 0; i--) {
    const first = referenceTimeIndex === null ? 0 : Number(element(referenceTimeIndex, i))
    // A negative index means: no events
    starts[i] = first < 0 ? next : first
    if (starts[i]! > next) throw new BadMessage('pulse_index', `pulse index ${first} of ${next} events`)
    next = starts[i]!
  }
  return starts
}
