// Runs in a process of its own, in the tree with counters: fuzzes one target as its parent says and tells it how far it is.
import { closeSync, openSync, readdirSync, readFileSync, rmSync, mkdirSync, writeFileSync, writeSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { random } from '../support/random.js'
import { Campaign, fewest } from './campaign.js'
import { beginCounting, type Coverage } from './coverage.js'
import { type CountedFile } from './instrument.js'
import { type Target } from './target.js'

/** What the parent wants. */
export interface Order {
  /** Compiled file of the target in the tree. */
  readonly file: string
  readonly counted: readonly CountedFile[]
  /** Folder of kept inputs. */
  readonly corpus: string
  /** Where the input that runs now is written: four bytes of length before it. */
  readonly current: string
  readonly seed: number
  readonly executions: number
  readonly seconds: number
  /** Write what is worth keeping to `corpus`. */
  readonly saves: boolean
}

/** What the child says. */
export type Word =
  | { readonly kind: 'found'; readonly what: string; readonly stack: string; readonly hex: string }
  | ({ readonly kind: 'progress' | 'done' } & Figures)

export interface Figures {
  readonly executions: number
  readonly seconds: number
  readonly blocks: number
  /** Blocks of the files that were reached. */
  readonly blocksThere: number
  readonly bits: number
  readonly inputs: number
  readonly mostSteps: number
  readonly mostBytes: number
}

const TURN_MS = 200

const say = (word: Word): void => void process.send?.(word)

/** Files of which something was reached. */
const reachedOf = (counted: readonly CountedFile[], coverage: Coverage): CountedFile[] =>
  counted.filter(({ first, end }) => coverage.seen.subarray(first, end).some((bits) => bits !== 0))

async function main(order: Order): Promise<void> {
  const { counted, corpus, seed } = order
  const coverage = beginCounting(counted.at(-1)?.end ?? 0)
  const { default: target } = (await import(pathToFileURL(order.file).href)) as { default: Target }
  const current = openSync(order.current, 'w')
  const head = Buffer.alloc(4)
  const startMs = performance.now()
  let saidMs = startMs
  /** Also while an input is shortened. */
  const live = (): void => {
    const nowMs = performance.now()
    if (nowMs - saidMs < TURN_MS) return
    saidMs = nowMs
    say({ kind: 'progress', ...figures() })
  }
  const campaign = new Campaign({
    target,
    coverage,
    pick: random(seed),
    record: (input) => {
      head.writeUInt32LE(input.length)
      writeSync(current, head, 0, 4, 0)
      writeSync(current, input, 0, input.length, 4)
      live()
    },
    found: ({ what, stack, input }) => say({ kind: 'found', what, stack, hex: input.toString('hex') })
  })
  const figures = (): Figures => ({
    executions: campaign.executions,
    seconds: (performance.now() - startMs) / 1000,
    blocks: coverage.blocks,
    blocksThere: reachedOf(counted, coverage).reduce((sum, { first, end }) => sum + end - first, 0),
    bits: coverage.bits,
    inputs: campaign.queue.length,
    mostSteps: campaign.mostSteps,
    mostBytes: campaign.mostBytes
  })
  const kept = readdirSync(corpus, { withFileTypes: true }).filter((one) => one.isFile())
  const inputs = kept.map(({ name }) => readFileSync(join(corpus, name)))
  const seeds = await target.seeds()
  await campaign.begin([...seeds, ...inputs], () => reachedOf(counted, coverage).flatMap(({ words }) => words)) // prettier-ignore
  let turnMs = startMs
  while (campaign.executions < order.executions) {
    const waits = campaign.next()
    if (waits !== undefined) await waits
    if (saidMs === turnMs) continue
    turnMs = saidMs
    if (turnMs - startMs > order.seconds * 1000) break
    // Messages leave, garbage is collected
    await new Promise((resolve) => setImmediate(resolve))
  }
  const last = figures()
  if (order.saves) save(corpus, await fewest(campaign, coverage), seeds)
  closeSync(current)
  say({ kind: 'done', ...last })
  process.disconnect()
}

/** In place of what was there; samples that the target makes itself are left out. */
function save(corpus: string, inputs: readonly Buffer[], seeds: readonly Uint8Array[]): void {
  rmSync(corpus, { recursive: true, force: true })
  mkdirSync(corpus, { recursive: true })
  for (const input of inputs)
    if (!seeds.some((seed) => input.equals(seed)))
      writeFileSync(join(corpus, `${createHash('sha256').update(input).digest('hex').slice(0, 12)}.bin`), input)
}

process.once('message', (order: Order) => {
  main(order).catch((error: unknown) => {
    process.stderr.write(`${(error as Error).stack}\n`)
    process.exit(1)
  })
})
