// Sample folders: structure and messages in, content of the file compared as h5py reads it, and every reader content.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadPlugins, type Loaded } from '../../core/loader.js'
import { makeFile } from '../../core/nexus/make-file.js'
import { readMessages } from '../../core/nexus/messages.js'
import { parseJson } from '../../core/nexus/parse.js'
import { partsOf } from '../../core/nexus/parts.js'
import { packageRoot } from '../../core/root.js'
import { readNexus } from '../support/nexus.js'

const samples = join(packageRoot, 'test/samples/files')

interface Expected {
  readonly start?: number
  readonly stop?: number
  /** Path in the file → value, or attribute as `path@name`; null: must not be there. */
  readonly content: Readonly<Record<string, unknown>>
  /** Parts of the report that must be as they are here. */
  readonly report?: Readonly<Record<string, unknown>>
  /** `PATH MODULE` → parts of the report of that stream. */
  readonly streams?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

const partOf = (whole: object, like: object): object =>
  Object.fromEntries(Object.keys(like).map((key) => [key, (whole as Record<string, unknown>)[key]]))

describe('sample files', () => {
  let loaded: Loaded
  let folder: string
  before(async () => {
    loaded = await loadPlugins({ plugins: [], baseFolder: '.' })
    folder = mkdtempSync(join(tmpdir(), 'nexstream-samples-'))
  })
  after(async () => {
    rmSync(folder, { recursive: true })
    await loaded.close()
  })

  for (const name of readdirSync(samples).toSorted()) {
    it(name, async () => {
      const sample = join(samples, name)
      const read = (file: string): string => readFileSync(join(sample, file), 'utf8')
      const expected = parseJson(read('expected.json')) as Expected
      const parts = partsOf(loaded.host)
      const messages = existsSync(join(sample, 'messages.jsonl'))
        ? readMessages(read('messages.jsonl'), sample, parts)
        : []
      const file = join(folder, `${name}.nxs`)
      const ns = (seconds: number): bigint => BigInt(Math.round(seconds * 1e9))
      const report = await makeFile({
        structure: read('structure.json'),
        file,
        messages,
        parts,
        reportInFile: true,
        run: { runName: 'run 7', instrumentName: 'AMOR', periods: 2 },
        ...(expected.start !== undefined && { startNs: ns(expected.start) }),
        ...(expected.stop !== undefined && { stopNs: ns(expected.stop) })
      })
      const content = await readNexus(file, Object.keys(expected.content))
      for (const [path, value] of Object.entries(expected.content)) assert.deepEqual(content[path], value, path)
      assert.deepEqual(partOf(report, expected.report ?? {}), expected.report ?? {})
      for (const [which, wanted] of Object.entries(expected.streams ?? {})) {
        const stream = report.streams.find(({ path, module }) => `${path} ${module}` === which)
        assert.deepEqual(partOf(stream ?? {}, wanted), wanted, which)
      }
    })
  }
})
