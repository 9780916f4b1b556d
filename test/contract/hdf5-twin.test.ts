// The same random work through both back ends; independent readers must find the same values, byte for byte.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { createNexusFile, type NexusFile } from '../../plugins/service-filewriter/file/file.js'
import { type VectorType } from '../../schemas/index.js'
import { runPython } from '../support/python.js'
import { type Column, type ColumnOptions } from '../../plugins/service-filewriter/writer-part.js'

const compare = new URL('../../../test/support/python/hdf5/compare.py', import.meta.url).pathname
const dtypes: VectorType[] = ['int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'float32', 'float64'] // prettier-ignore
const sizes: Record<string, number> = { int8: 1, int16: 2, int32: 4, int64: 8, uint8: 1, uint16: 2, uint32: 4, uint64: 8, float32: 4, float64: 8 } // prettier-ignore

const column = fc.record({
  dtype: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...dtypes) },
    fc.record({ string: fc.integer({ min: 1, max: 40 }) })
  ),
  row: fc.oneof({ weight: 3, arbitrary: fc.constant<number[]>([]) }, fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 })), // prettier-ignore
  chunk: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 10, max: 3000 })),
  bulk: fc.boolean(),
  index: fc.boolean(),
  packed: fc.boolean()
})
const step = fc.oneof(
  { weight: 12, arbitrary: fc.record({ op: fc.constant('append' as const), column: fc.nat(7), rows: fc.oneof(fc.nat(20), fc.nat(4000)) }) }, // prettier-ignore
  { weight: 4, arbitrary: fc.record({ op: fc.constant('checkpoint' as const) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('late' as const) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('reopen' as const) }) }
)
const work = fc.record({
  columns: fc.array(column, { minLength: 1, maxLength: 6 }),
  steps: fc.array(step, { minLength: 1, maxLength: 40 }),
  memoryBytes: fc.constantFrom(0, 3000, 1 << 20),
  tailBytes: fc.constantFrom(0, 64, 4096)
})
type Work = typeof work extends fc.Arbitrary<infer T> ? T : never
type Planned = Work['columns'][number]

const rowBytes = ({ dtype, row }: Planned): number =>
  (typeof dtype === 'string' ? (sizes[dtype] ?? 0) : dtype.string) * row.reduce((a, b) => a * b, 1)
const options = (plan: Planned): ColumnOptions => ({
  dtype: plan.dtype,
  row: plan.row,
  chunk: plan.chunk,
  bulk: plan.bulk,
  index: plan.index,
  ...(plan.packed ? { compression: { filter: 'gzip' } } : {})
})

/** Content that depends on the place in the dataset only; misaligned on purpose. Strings: no spaces, which h5wasm's padded type ends at. */
function content(seed: number, { dtype }: Planned, from: number, bytes: number): Buffer {
  const [least, span] = typeof dtype === 'string' ? [0, 256] : [33, 90]
  const memory = Buffer.alloc(bytes + 1)
  const out = memory.subarray(1)
  for (let i = 0; i < bytes; i++) out[i] = Math.imul(from + i + seed * 7919, 2654435761) >>> 24
  if (span < 256) for (let i = 0; i < bytes; i++) out[i] = least + ((out[i] ?? 0) % span)
  return out
}

interface Written {
  readonly lengths: Map<string, number>
  /** Number of late changes. */
  readonly late: number
}

async function run(path: string, plan: Work, backend: 'direct' | 'h5wasm'): Promise<Written> {
  const { memoryBytes, tailBytes } = plan
  const common = { backend, fsync: 'never', memoryBytes, tailBytes } as const
  let file: NexusFile = await createNexusFile(path, common)
  const group = file.root.group('entry', { NX_class: 'NXentry' }).group('data')
  let columns: Column[] = plan.columns.map((item, i) => group.column(`c${i}`, options(item)))
  let late = 0
  file.begin()
  for (const item of plan.steps) {
    if (item.op === 'checkpoint') file.checkpoint()
    if (item.op === 'append') {
      const i = item.column % columns.length
      const target = columns[i] as Column
      const size = rowBytes(plan.columns[i] as Planned)
      target.append(content(i, plan.columns[i] as Planned, target.length * size, item.rows * size))
    }
    if (item.op === 'late') {
      const n = late++
      file.lateStructure(() => {
        file.group('/entry')?.dataset(`late${n}`, [n, n + 1], { dtype: 'int32', attributes: { units: 'K' } })
        file.group('/entry')?.attribute(`note${n}`, 'x'.repeat(n + 1))
        file.group('/entry/data')?.link(`link${n}`, '/entry/data/c0', n % 2 === 0 ? 'hard' : 'soft')
        file.group(n % 2 === 0 ? '/entry/data' : '/')?.link(`far${n}`, `x${n}.nxs:/y`, 'external')
        file.group('/')?.attribute(`note${n}`, n)
        file.group('/entry/data')?.datasetAttribute('c0', 'units', 'u'.repeat(5 * n + 1))
        file.group('/entry/data')?.datasetAttribute('c0', `note${n}`, n)
      })
    }
    if (item.op === 'reopen') {
      file.close()
      file = await createNexusFile(path, { ...common, mode: 'continue' })
      columns = plan.columns.map(({ index, bulk }, i) => file.column(`/entry/data/c${i}`, { index, bulk }))
      file.begin()
    }
  }
  file.finish()
  file.group('/entry')?.dataset('end_time', 'now', { dtype: 'string' })
  file.close()
  return { lengths: new Map(columns.map((one, i) => [`/entry/data/c${i}`, one.length])), late }
}

function expected(plan: Work, { lengths, late }: Written): object {
  const notes = Array.from({ length: late }, (_, n) => [`note${n}`, String(n)])
  const units = late > 0 ? [['units', 'u'.repeat(5 * late - 4)]] : []
  const attributes = {
    '/': Object.fromEntries(notes) as object,
    '/entry/data/c0': Object.fromEntries([...notes, ...units]) as object
  }
  const datasets = Object.fromEntries(
    plan.columns.map((item, i) => {
      const path = `/entry/data/c${i}`
      const rows = lengths.get(path) ?? 0
      const sha256 = createHash('sha256')
        .update(content(i, item, 0, rows * rowBytes(item)))
        .digest('hex')
      return [path, { shape: [rows, ...item.row], sha256 }]
    })
  )
  return { datasets, attributes }
}

const hasH5diff = (): boolean => {
  try {
    execFileSync('h5diff', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe('HDF5 back ends', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'nexstream-hdf5-'))
  })
  after(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  it('write the same values whatever the work, also after reopening (h5py, and h5diff where installed)', async function () {
    this.timeout(300_000)
    const seed = Number(process.env['FC_SEED'] ?? Date.now() % 0x7fffffff)
    const cases: object[] = []
    const pairs: [string, string][] = []
    for (const [n, plan] of fc.sample(work, { numRuns: 40, seed }).entries()) {
      const files: string[] = []
      for (const backend of ['direct', 'h5wasm'] as const) {
        const file = join(folder, `${n}-${backend}.nxs`)
        files.push(file)
        try {
          cases.push({ file, ...expected(plan, await run(file, plan, backend)) })
        } catch (error) {
          throw new Error(`FC_SEED=${seed} case ${n} ${backend}: ${JSON.stringify(plan)}`, { cause: error })
        }
      }
      pairs.push([files[0] ?? '', files[1] ?? ''])
    }
    const result = JSON.parse(await runPython(compare, [], JSON.stringify(cases))) as { seen: number; wrong: string[] }
    assert.deepEqual(result.wrong, [], `FC_SEED=${seed}`)
    assert.ok(result.seen >= 80)
    // Values are compared above in any case; h5diff also looks at the rest of the structure
    if (hasH5diff()) for (const [a, b] of pairs) execFileSync('h5diff', [a, b])
  })
})
