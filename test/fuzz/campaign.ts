// The fuzzing of one target in one process: mutates what brought something new, keeps what brings more, reports what breaks a promise.
import { getHeapStatistics } from 'node:v8'
import { type Coverage, TooManySteps } from './coverage.js'
import { type Material, mutate, type Pick } from './mutate.js'
import { Broken, type Target } from './target.js'

export interface Finding {
  readonly what: string
  readonly stack: string
  readonly input: Buffer
}

export interface CampaignOptions {
  readonly target: Target
  readonly coverage: Coverage
  readonly pick: Pick
  /** Told of each input before it runs: whoever looks after a crash finds it. */
  readonly record: (input: Buffer) => void
  readonly found: (finding: Finding) => void
}

/** Inputs that a shorter one is tried for. */
const TRIMS = 100
const MAX_STEPS = 200_000
const MAX_BYTES = 16 << 20
const MAX_LENGTH = 4096

export class Campaign {
  /** Inputs that brought something, the newest last. */
  readonly queue: Buffer[] = []
  executions = 0
  mostSteps = 0
  mostBytes = 0
  #words: readonly Buffer[] = []
  readonly #told = new Set<string>()
  readonly #maxSteps: number
  readonly #maxBytes: number

  constructor(readonly options: CampaignOptions) {
    this.#maxSteps = options.target.maxSteps ?? MAX_STEPS
    this.#maxBytes = options.target.maxBytes ?? MAX_BYTES
  }

  /** Samples, and what earlier campaigns kept; `wordsOf` gives the words of the code that these have reached. */
  async begin(inputs: readonly Uint8Array[], wordsOf: () => readonly string[]): Promise<void> {
    for (const input of inputs) await this.#try(Buffer.from(input), false)
    if (this.queue.length === 0) this.queue.push(Buffer.alloc(0))
    this.#words = wordsOf().flatMap(spellings)
  }

  /** One more input. */
  next(): Promise<void> | undefined {
    const { pick, target } = this.options
    const { queue } = this
    // What is new is looked into more
    const recent = Math.max(1, queue.length >> 3)
    const one = (): Buffer => queue[pick(3) === 0 ? queue.length - 1 - pick(recent) : pick(queue.length)]!
    // And short ones, which are quick
    const [a, b] = [one(), one()]
    const parent = a.length < b.length ? a : b
    const material: Material = {
      words: this.#words,
      others: queue,
      isText: target.isText === true,
      maxLength: target.maxLength ?? MAX_LENGTH
    }
    return this.#try(mutate(parent, pick, material), true)
  }

  #try(input: Buffer, trims: boolean): Promise<void> | undefined {
    const finding = this.#run(input)
    if (finding instanceof Promise) return finding.then((one) => this.#judge(input, one, trims))
    return this.#judge(input, finding, trims)
  }

  #judge(input: Buffer, finding: Finding | undefined, trims: boolean): Promise<void> | undefined {
    if (finding !== undefined) return this.#tell(finding)
    const fresh = this.options.coverage.take()
    if (fresh === undefined) return undefined
    if (trims)
      return this.#trimmed(input, () => this.options.coverage.has(fresh)).then((short) => void this.queue.push(short))
    this.queue.push(input)
    return undefined
  }

  async #tell(finding: Finding): Promise<void> {
    const place = placeOf(finding)
    if (this.#told.has(place)) return
    this.#told.add(place)
    let shortest = finding
    const same = (_: Buffer, now: Finding | undefined): boolean => {
      if (now === undefined || placeOf(now) !== place) return false
      shortest = now
      return true
    }
    await this.#trimmed(finding.input, same)
    this.options.found(shortest)
  }

  /** A shorter input of which `holds` is true, too. */
  async #trimmed(input: Buffer, holds: (input: Buffer, finding: Finding | undefined) => boolean): Promise<Buffer> {
    const { pick } = this.options
    let best = input
    for (let i = 0; i < TRIMS && best.length > 1; i++) {
      const from = pick(best.length)
      const to = Math.min(best.length, from + 1 + pick(Math.max(1, best.length >> 1)))
      const shorter = Buffer.concat([best.subarray(0, from), best.subarray(to)])
      if (holds(shorter, await this.#run(shorter))) best = shorter
    }
    return best
  }

  #run(input: Buffer): Finding | undefined | Promise<Finding | undefined> {
    const { target, coverage, record } = this.options
    record(input)
    this.executions++
    coverage.clear()
    const { steps } = globalThis.fuzzing
    steps[0] = this.#maxSteps
    const before = getHeapStatistics()
    const memory = before.used_heap_size + before.external_memory
    const done = (error?: unknown): Finding | undefined => {
      const used = this.#maxSteps - steps[0]!
      steps[0] = 0x7fffffff
      const after = getHeapStatistics()
      const bytes = after.used_heap_size + after.external_memory - memory
      this.mostSteps = Math.max(this.mostSteps, used)
      this.mostBytes = Math.max(this.mostBytes, bytes)
      if (used > this.#maxSteps)
        return finding(input, error instanceof TooManySteps ? error : new TooManySteps('steps'))
      if (bytes > this.#maxBytes)
        return finding(input, new Broken(`memory: ${Math.round(bytes / 1048576)} MiB for ${input.length} bytes`))
      return error === undefined || target.allows(error) ? undefined : finding(input, error)
    }
    try {
      const result = target.run(input)
      return result instanceof Promise ? result.then(() => done(), (error: unknown) => done(error ?? new Broken('nothing'))) : done() // prettier-ignore
    } catch (error) {
      return done(error ?? new Broken('nothing was thrown'))
    }
  }
}

function finding(input: Buffer, error: unknown): Finding {
  const { name = typeof error, message = String(error), stack = '' } = error as Partial<Error>
  return { what: `${name}: ${message}`, stack, input: Buffer.from(input) }
}

/** Where it happened: the same for inputs that show the same fault. */
function placeOf({ what, stack }: Finding): string {
  const at = stack.split('\n').find((line) => /^ +at /.test(line))
  return `${what.replace(/\d+/g, 'N').slice(0, 60)} ${at ?? ''}`
}

/** A word as it stands in text, a number as the bytes of both orders. */
function spellings(word: string): Buffer[] {
  const value = Number(word)
  if (!Number.isSafeInteger(value)) return [Buffer.from(word)]
  const [big, little, small] = [Buffer.alloc(4), Buffer.alloc(4), Buffer.alloc(2)]
  big.writeUInt32BE(value >>> 0)
  little.writeUInt32LE(value >>> 0)
  small.writeUInt16BE(value & 0xffff)
  return [big, little, small, Buffer.from(word)]
}

/** Few inputs, short ones first, that reach all blocks that these do. */
export async function fewest(campaign: Campaign, coverage: Coverage): Promise<Buffer[]> {
  const reached = new Set<number>()
  const kept: Buffer[] = []
  for (const input of campaign.queue.toSorted((a, b) => a.length - b.length)) {
    coverage.clear()
    globalThis.fuzzing.steps[0] = 0x7fffffff
    try {
      await campaign.options.target.run(input)
    } catch {
      // What it throws was judged when it was found
    }
    const fresh = coverage.all().filter((block) => !reached.has(block))
    if (fresh.length > 0) kept.push(input)
    for (const block of fresh) reached.add(block)
  }
  return kept
}
