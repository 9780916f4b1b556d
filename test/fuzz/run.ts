// Starts the process of a target and watches it: crashes, hangs and memory without bound end in a finding, too.
import { fork } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../core/root.js'
import { type CountedFile, makeCountedTree } from './instrument.js'
import { type Figures, type Order, type Word } from './process.js'

export interface RunOptions {
  readonly seed: number
  readonly executions: number
  readonly seconds: number
  readonly saves: boolean
  /** Longest time between two signs of life of the process. */
  readonly hangMs: number
  /** false: begin with the samples only. */
  readonly corpus?: boolean
}

export interface FoundInput {
  readonly what: string
  readonly stack: string
  readonly input: Buffer
}
export interface Result {
  readonly figures: Figures | undefined
  readonly found: readonly FoundInput[]
}

const HEAP_MB = 1024

const targetsOf = (folder: string): string[] =>
  readdirSync(join(packageRoot, 'test/fuzz', folder), { encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => name.slice(0, -3))

/** What can be fuzzed, by name. */
export const targets: readonly string[] = targetsOf('targets').toSorted()

/** A tree with counters, to run targets in. */
export class FuzzTree {
  readonly folder = mkdtempSync(join(tmpdir(), 'nexstream-fuzz-'))
  readonly #counted: Promise<CountedFile[]> = makeCountedTree(this.folder)

  /** @param from - folder of the target below test/fuzz */
  async run(
    name: string,
    options: RunOptions,
    progress: (now: Figures) => void = () => undefined,
    from = 'targets'
  ): Promise<Result> {
    const corpus = join(packageRoot, 'test/fuzz/corpus', name)
    const isKept = from === 'targets' && options.corpus !== false
    if (isKept) mkdirSync(corpus, { recursive: true })
    const order: Order = {
      ...options,
      file: join(this.folder, 'dist/test/fuzz', from, `${name}.js`),
      counted: await this.#counted,
      corpus: isKept ? corpus : mkdtempSync(join(this.folder, 'corpus-')),
      current: join(this.folder, `${name}.current`)
    }
    return watch(join(this.folder, 'dist/test/fuzz/process.js'), order, options.hangMs, progress)
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function watch(file: string, order: Order, hangMs: number, progress: (now: Figures) => void): Promise<Result> {
  const child = fork(file, {
    execArgv: [`--max-old-space-size=${HEAP_MB}`, '--enable-source-maps'],
    stdio: ['ignore', 'inherit', 'pipe', 'ipc']
  })
  const found: FoundInput[] = []
  let figures: Figures | undefined
  let isDone = false
  let isHung = false
  let said = ''
  const hung = (): void => {
    isHung = true
    child.kill('SIGKILL')
  }
  let timer = setTimeout(hung, hangMs)
  child.stderr?.on('data', (text: Buffer) => (said = (said + text.toString()).slice(-4000)))
  child.on('message', (word: Word) => {
    clearTimeout(timer)
    timer = setTimeout(hung, hangMs)
    if (word.kind === 'found') {
      found.push({ what: word.what, stack: word.stack, input: Buffer.from(word.hex, 'hex') })
      return
    }
    figures = word
    isDone = word.kind === 'done'
    progress(word)
  })
  child.send(order)
  return new Promise((resolve) =>
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      const what = isHung ? `no end after ${hangMs / 1000} s` : `the process ended with ${signal ?? code}`
      if (!isDone) found.push({ what, stack: said, input: currentOf(order.current) })
      resolve({ figures, found })
    })
  )
}

function currentOf(file: string): Buffer {
  try {
    const bytes = readFileSync(file)
    return bytes.subarray(4, 4 + bytes.readUInt32LE(0))
  } catch {
    return Buffer.alloc(0)
  }
}
