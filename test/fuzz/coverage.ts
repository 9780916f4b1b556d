// Which blocks inputs have reached, and about how often: an input is of interest when it brings a block or an order of magnitude.

/** Shared with the counted code. */
export interface Fuzzing {
  readonly counters: Uint8Array
  /** Steps left. */
  readonly steps: Int32Array
  readonly stop: () => never
  /** Counters of a module that has been imported. */
  readonly loaded: (first: number, end: number) => void
}
declare global {
  var fuzzing: Fuzzing
}

export class TooManySteps extends Error {
  override readonly name = 'TooManySteps'
}

/** To be called before counted code is imported. */
export function beginCounting(counters: number): Coverage {
  const whole = new Uint8Array(counters)
  const coverage = new Coverage(whole)
  globalThis.fuzzing = {
    counters: whole,
    steps: new Int32Array([0x7fffffff]),
    stop: () => {
      throw new TooManySteps('more steps than an input of this length may take')
    },
    loaded: (first, end) => coverage.ranges.push([first >> 2, end >> 2])
  }
  return coverage
}

/** One bit for each order of magnitude of a counter. */
const BUCKETS = Uint8Array.from({ length: 256 }, (_, n) => (n < 4 ? (1 << n) >> 1 : n < 8 ? 8 : n < 16 ? 16 : n < 32 ? 32 : n < 128 ? 64 : 128)) // prettier-ignore

export class Coverage {
  readonly seen: Uint8Array
  /** Of imported modules, in words of four counters. */
  readonly ranges: [first: number, end: number][] = []
  readonly #words: Int32Array
  /** Blocks reached, and blocks with orders of magnitude. */
  blocks = 0
  bits = 0

  constructor(readonly counters: Uint8Array) {
    this.seen = new Uint8Array(counters.length)
    this.#words = new Int32Array(counters.buffer)
  }

  clear(): void {
    for (const [first, end] of this.ranges) this.#words.fill(0, first, end)
  }

  /** What the last input brought: counter × 256 + bit; kept from now on. */
  take(): number[] | undefined {
    let fresh: number[] | undefined
    for (const [first, end] of this.ranges)
      for (let word = first; word < end; word++) if (this.#words[word] !== 0) fresh = this.#look(word * 4, fresh)
    return fresh
  }

  #look(at: number, fresh: number[] | undefined): number[] | undefined {
    const { counters, seen } = this
    for (let i = at; i < at + 4; i++) {
      const bit = BUCKETS[counters[i]!]!
      if ((seen[i]! & bit) === bit) continue
      if (seen[i] === 0) this.blocks++
      this.bits++
      seen[i]! |= bit
      ;(fresh ??= []).push(i * 256 + bit)
    }
    return fresh
  }

  /** Whether the last input still brings all of these. */
  has(wanted: readonly number[]): boolean {
    return wanted.every((one) => BUCKETS[this.counters[one >>> 8]!] === (one & 255))
  }

  /** All blocks that the last input reached. */
  all(): number[] {
    const out: number[] = []
    for (let i = 0; i < this.counters.length; i++) {
      if (this.counters[i] !== 0) out.push(i)
    }
    return out
  }
}
