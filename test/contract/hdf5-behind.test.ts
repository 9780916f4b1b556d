// Memory that is lent to a file: whatever the order of the work, nothing of it is missing, torn, or read after it was given back.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { createNexusFile, type NexusFile } from '../../plugins/service-filewriter/file/file.js'
import { type Column } from '../../plugins/service-filewriter/writer-part.js'
import { runPython } from '../support/python.js'

const compare = new URL('../../../test/support/python/hdf5/compare.py', import.meta.url).pathname
const columns = [
  { name: 'plain', rowBytes: 4, options: { dtype: 'uint32', bulk: true, chunk: 100_000 } },
  { name: 'small', rowBytes: 1, options: { dtype: 'uint8', chunk: 9000 } },
  { name: 'packed', rowBytes: 2, options: { dtype: 'uint16', chunk: 50_000, compression: { filter: 'gzip' } } },
  { name: 'rows', rowBytes: 40, options: { dtype: 'int64', row: [5], index: true, chunk: 1000 } }
] as const

const append = fc.record({ column: fc.nat(columns.length - 1), bytes: fc.oneof(fc.nat(3000), fc.nat(1_500_000)) })
const step = fc.oneof(
  { weight: 9, arbitrary: fc.record({ op: fc.constant('lend' as const), appends: fc.array(append, { maxLength: 4 }) }) }, // prettier-ignore
  { weight: 2, arbitrary: fc.record({ op: fc.constant('checkpoint' as const) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('drain' as const) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('turn' as const) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('late' as const) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('reopen' as const) }) }
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Content by place. */
function fill(out: Uint8Array, seed: number, from: number): void {
  for (let i = 0; i < out.length; i++) out[i] = Math.imul(from + i + seed * 7919, 2654435761) >>> 24
}

const whole = (name: string, bytes: number): Buffer => {
  const out = Buffer.alloc(bytes)
  fill(out, columns.findIndex((column) => column.name === name), 0) // prettier-ignore
  return out
}

class Work {
  readonly cases: object[] = []
  lent = 0
  #late = 0
  readonly #lengths = columns.map(() => 0)
  #columns: Column[] = []

  constructor(
    readonly path: string,
    public file: NexusFile
  ) {
    const group = file.root.group('data')
    this.#columns = columns.map(({ name, options }) => group.column(name, options))
    file.begin()
  }

  async do(plan: Step): Promise<void> {
    if (plan.op === 'lend') this.#lend(plan.appends)
    if (plan.op === 'turn') await new Promise((resolve) => setImmediate(resolve))
    if (plan.op === 'drain') await this.file.drained()
    if (plan.op === 'checkpoint' || plan.op === 'drain') this.#checkpoint()
    if (plan.op === 'late') this.file.lateStructure(() => this.file.root.attribute(`late${this.#late++}`, 1))
    if (plan.op === 'reopen') await this.#reopen()
  }

  #lend(appends: readonly { readonly column: number; readonly bytes: number }[]): void {
    const sizes = appends.map(({ column, bytes }) => bytes - (bytes % (columns[column]?.rowBytes ?? 1)))
    const memory = new Uint8Array(sizes.reduce((sum, n) => sum + n, 0))
    this.lent++
    let at = 0
    const take = (): void => {
      for (const [i, { column }] of appends.entries()) {
        const bytes = memory.subarray(at, (at += sizes[i] ?? 0))
        fill(bytes, column, this.#lengths[column] ?? 0)
        this.#columns[column]?.append(bytes)
        this.#lengths[column] = (this.#lengths[column] ?? 0) + bytes.length
      }
    }
    this.file.lend(memory.buffer, take, () => {
      this.lent--
      memory.fill(0xee)
    })
  }

  /** What is in the file now is kept, to be looked at. */
  #checkpoint(): void {
    this.file.checkpoint()
    const copy = `${this.path}.${this.cases.length}`
    copyFileSync(this.path, copy)
    this.#expect(copy)
  }

  #expect(file: string): void {
    const datasets = columns.map(({ name, rowBytes, options }, i) => {
      const bytes = this.#lengths[i] ?? 0
      const row = 'row' in options ? options.row : []
      const sha256 = createHash('sha256').update(whole(name, bytes)).digest('hex')
      return [`/data/${name}`, { shape: [bytes / rowBytes, ...row], sha256 }]
    })
    this.cases.push({ file, datasets: Object.fromEntries(datasets) as object })
  }

  async #reopen(): Promise<void> {
    await this.file.drained()
    this.file.close()
    this.file = await createNexusFile(this.path, { mode: 'continue', fsync: 'never' })
    this.#columns = columns.map(({ name }) => this.file.column(`/data/${name}`))
    this.file.begin()
  }

  async end(): Promise<void> {
    this.file.finish()
    await this.file.drained()
    this.file.close()
    this.#expect(this.path)
  }
}

describe('memory lent to a file', function () {
  this.timeout(120_000)
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'nexstream-behind-'))
  })
  after(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  it('is in the file at every checkpoint, whatever the work, and given back once (h5py)', async () => {
    const seed = Number(process.env['FC_SEED'] ?? Date.now() % 0x7fffffff)
    const cases: object[] = []
    for (const [n, steps] of fc
      .sample(fc.array(step, { minLength: 3, maxLength: 14 }), { numRuns: 12, seed })
      .entries()) {
      const path = join(folder, `${n}.nxs`)
      const work = new Work(path, await createNexusFile(path, { fsync: 'never' }))
      for (const one of steps) await work.do(one)
      await work.end()
      assert.equal(work.lent, 0, `FC_SEED=${seed} case ${n}`)
      cases.push(...work.cases)
    }
    const { wrong } = JSON.parse(await runPython(compare, [], JSON.stringify(cases))) as { wrong: string[] }
    assert.deepEqual(wrong, [], `FC_SEED=${seed}`)
  })

  it('is written by another thread while this one goes on', async () => {
    const path = join(folder, 'behind.nxs')
    const work = new Work(path, await createNexusFile(path, { fsync: 'never' }))
    await work.do({ op: 'lend', appends: [{ column: 0, bytes: 1 << 20 }] })
    assert.equal(work.lent, 1)
    await work.do({ op: 'drain' })
    assert.equal(work.lent, 0)
    assert.equal(work.file.drained(), undefined)
    await work.end()
  })
})
