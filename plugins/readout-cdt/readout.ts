// Readouts of DREAM, MAGIC and HEIMDAL: 16 bytes with unit, cathode and anode.
import { CodedError } from '../../core/api/plugin.js'
import {
  type Counter,
  type EventSink,
  no,
  type Packet,
  type PulseClock,
  type Readout,
  type ReadoutSetup
} from '../service-event-formation/readout-kit.js'
import { type CdtConfig, type CdtEntry, type CdtType } from './config.js'
import { type CdtPart, type PixelOf } from './parts.js'

export const SIZE = 16
const HIGHEST_FIBRE = 23
const HIGHEST_FEN = 12
const NODES = 12
const LONGEST = 2 ** 31 - 1

/** What is on one ring and node. */
interface Node {
  readonly entry: CdtEntry
  readonly part: CdtPart | undefined
  readonly pixelOf: PixelOf
}

export class CdtReadout implements Readout {
  /** By ring and FEN. */
  readonly #nodes: (Node | undefined)[] = Array.from({ length: NODES * NODES })
  readonly #sink: EventSink
  readonly #clock: PulseClock
  /** The last ring and node are refused by the field's program. */
  readonly #limit: number
  readonly #compatible: boolean
  readonly #short: Counter
  readonly #fibre: Counter
  readonly #fen: Counter
  readonly #heads: Counter
  readonly #length: Counter
  readonly #count: Counter
  readonly #invalid: Counter
  readonly #highFen: Counter
  readonly #unknown: Counter
  readonly #noPixel: Counter
  readonly #events: Counter

  constructor(
    config: CdtConfig,
    parts: Readonly<Partial<Record<CdtType, CdtPart>>>,
    source: string,
    setup: ReadoutSetup
  ) {
    // prettier-ignore
    const { clock, counter, compatible } = setup
    this.#clock = clock
    clock.limits(LONGEST, config.MaxPulseTimeDiffNS)
    this.#compatible = compatible
    this.#limit = compatible ? NODES - 1 : NODES
    const opened = new Map<CdtType, PixelOf>()
    for (const [type, part] of Object.entries(parts)) opened.set(type as CdtType, part.open((name) => counter(`${part.prefix}.geometry.${name}`))) // prettier-ignore
    for (const [index, entry] of config.Config.entries()) {
      const key = entry.Ring * NODES + entry.FEN
      if (this.#nodes[key] !== undefined)
        throw new CodedError('DETECTOR_INVALID', `ring ${entry.Ring} FEN ${entry.FEN} is there twice`, {
          path: `/config/Config/${index}`
        })
      this.#nodes[key] = { entry, part: parts[entry.Type], pixelOf: opened.get(entry.Type) ?? (() => 0) }
    }
    this.#sink = setup.events(source)
    this.#short = counter('readouts.error_buffer')
    this.#fibre = counter('readouts.error_fiber')
    this.#fen = counter('readouts.error_fen')
    this.#heads = counter('readouts.headers')
    this.#length = counter('readouts.error_datalen')
    this.#count = counter('readouts.count')
    this.#invalid = counter('geometry.validation_errors')
    this.#highFen = counter('geometry.fen_errors')
    this.#unknown = counter('geometry.config_errors')
    this.#noPixel = counter('geometry.pixel_errors')
    this.#events = counter('events.count')
  }

  /** Up to the first readout that is none: where the next begins is not known then. */
  process(packet: Packet): void {
    const { u32, from, to } = packet
    const clock = this.#clock
    let good = 0
    for (let at = from; at < to; at += SIZE) {
      const word = at >> 2
      const head = u32[word]!
      const [fibre, fen] = [head & 0xff, (head >> 8) & 0xff]
      // What is right, which is nearly all, is told by one look
      if (head >>> 16 === SIZE && to - at >= SIZE && fibre <= HIGHEST_FIBRE && fen <= HIGHEST_FEN) good++
      else if (!this.#isReadout(packet, at)) break
      const node = this.#node(fibre >> 1, fen)
      if (node === undefined) {
        this.#invalid.value++
        continue
      }
      const tof = clock.tof(u32[word + 1]!, u32[word + 2]!)
      if (tof >= 0) this.#form(node, tof, u32[word + 3]!)
    }
    this.#heads.value += good
    this.#count.value += good
  }

  #isReadout({ bytes, u16, to }: Packet, at: number): boolean {
    if (to - at < SIZE) return no(this.#short)
    if (bytes[at]! > HIGHEST_FIBRE) return no(this.#fibre)
    if (bytes[at + 1]! > HIGHEST_FEN) return no(this.#fen)
    this.#heads.value++
    if (u16[(at + 2) >> 1] !== SIZE) return no(this.#length)
    this.#count.value++
    return true
  }

  #node(ring: number, fen: number): Node | undefined {
    const limit = this.#limit
    const node = ring < limit && fen < limit ? this.#nodes[ring * NODES + fen] : undefined
    if (node === undefined) no(fen >= NODES ? this.#highFen : this.#unknown)
    return node
  }

  /** @param place - unused byte, unit, cathode, anode */
  #form({ entry, part, pixelOf }: Node, tof: number, place: number): void {
    const pixel = pixelOf(entry, (place >>> 8) & 0xff, (place >>> 16) & 0xff, place >>> 24)
    // The field's program gives these readouts of MAGIC the pixel before the first
    const isKept = pixel > 0 || (this.#compatible && entry.Type === 'PADetector')
    if (!isKept || part === undefined) {
      this.#noPixel.value++
      return
    }
    this.#events.value++
    this.#sink.add(tof, pixel + part.offset)
  }
}
