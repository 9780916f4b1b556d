// What is on each ring, front end node and hybrid; and how times of hits become times of flight.
import { CodedError } from '../../core/api/plugin.js'
import { type PulseClock, TICK_NS } from '../service-event-formation/readout-kit.js'

export const RINGS = 11
export const FENS = 14
const HYBRIDS = 16

interface HybridPlace {
  readonly Ring: number
  readonly FEN: number
  readonly Hybrid: number
  readonly HybridId: string
}

/** Things by ring, front end node and hybrid. */
export class HybridTable<T> {
  readonly #all: (T | undefined)[] = Array.from({ length: RINGS * FENS * HYBRIDS })

  /** Throws DETECTOR_INVALID for a hybrid, or a HybridId, that is there twice. */
  constructor(config: readonly HybridPlace[], make: (index: number) => T) {
    const ids = config.map(({ HybridId }) => HybridId)
    const twice = ids.findIndex((id, i) => ids.indexOf(id) !== i)
    if (twice >= 0) throw new CodedError('DETECTOR_INVALID', 'this HybridId is there twice', { path: `/config/Config/${twice}/HybridId` }) // prettier-ignore
    for (const [index, { Ring, FEN, Hybrid }] of config.entries()) {
      const at = this.#at(Ring, FEN, Hybrid)
      if (this.#all[at] !== undefined) throw new CodedError('DETECTOR_INVALID', 'this hybrid is there twice', { path: `/config/Config/${index}` }) // prettier-ignore
      this.#all[at] = make(index)
    }
  }

  /** @param ring - below RINGS @param fen - below FENS */
  get(ring: number, fen: number, hybrid: number): T | undefined {
    return this.#all[this.#at(ring, fen, hybrid)]
  }

  #at(ring: number, fen: number, hybrid: number): number {
    return (ring * FENS + fen) * HYBRIDS + hybrid
  }
}

/** Of a time in ns after `base` s: by way of ticks, as the field's program does it. */
export function tofOf(clock: PulseClock, base: number, time: number): number {
  let seconds = Math.floor(time / 1e9)
  let rest = time - seconds * 1e9
  // The quotient of large numbers is rounded
  if (rest < 0) {
    seconds--
    rest += 1e9
  }
  return clock.tof(seconds + base, Math.round(rest / TICK_NS))
}
