// The reference package and we: its messages are written right, and what we encode of them it reads as its own.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadPlugins, type Loaded } from '../../core/loader.js'
import { makeFile } from '../../plugins/service-filewriter/structure/make-file.js'
import { lookupOf } from '../../core/lookup.js'
import { packageRoot } from '../../core/root.js'
import { decodeJson, encodeMessage } from '../../schemas/index.js'
import { writtenAgain } from '../support/control-messages.js'
import { openConverter } from '../support/converters.js'
import { readNexus } from '../support/nexus.js'
import { runPython } from '../support/python.js'

const script = join(packageRoot, 'test/interop/reference.py')

interface Entry {
  readonly messages: readonly string[]
  readonly config: Readonly<Record<string, unknown>>
  readonly expected: Readonly<Record<string, unknown>>
}

async function encoder(id: string): Promise<(bytes: Buffer) => Uint8Array> {
  const control = writtenAgain[id]
  if (control !== undefined) return control
  // The text as it is, which the converter would parse and print anew
  if (id === 'json') return (bytes) => encodeMessage('json', decodeJson(bytes).message)
  const converter = await openConverter(id)
  return (bytes) => {
    const again = converter.encode?.(converter.decode?.(bytes))
    assert.ok(again !== undefined, id)
    return again
  }
}

/** Integers beyond 2^53 come as text from the reader of files; the table has them as numbers, which are exact enough in text. */
const exact = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(exact) : typeof value === 'string' && /^\d{16,}$/.test(value) ? Number(value) : value

describe('the reference package', function () {
  this.timeout(120_000)
  let loaded: Loaded
  let folder: string
  let table: Readonly<Record<string, Entry>>
  before(async () => {
    loaded = await loadPlugins({ plugins: [], baseFolder: '.' })
    folder = mkdtempSync(join(tmpdir(), 'nexstream-interop-'))
    table = JSON.parse(await runPython(script, ['make'])) as typeof table
  })
  after(async () => {
    rmSync(folder, { recursive: true })
    await loaded.close()
  })

  it('reads every message that we encode as the one it encoded itself', async () => {
    const pairs: { id: string; theirs: string; ours: string }[] = []
    for (const [id, entry] of Object.entries(table)) {
      const again = await encoder(id)
      for (const theirs of entry.messages)
        pairs.push({ id, theirs, ours: Buffer.from(again(Buffer.from(theirs, 'base64'))).toString('base64') })
    }
    assert.ok(pairs.length >= 50, `${pairs.length} messages`)
    const different = JSON.parse(await runPython(script, ['compare'], JSON.stringify(pairs))) as string[]
    assert.deepEqual(different, [])
  })

  it('has its messages of every data schema in a file', async () => {
    const data = Object.entries(table).filter(([, { expected }]) => Object.keys(expected).length > 0)
    const group = ([id, { config }]: [string, Entry]): object => {
      const source = id === 'NDAr' ? 'ADPluginKafka' : 'src'
      const companions = ['f144', 'se00', 'senv', 'tdct'].includes(id) ? { enable_alarm_info: false, enable_epics_con_info: false } : {} // prettier-ignore
      return {
        type: 'group',
        name: id,
        children: [{ module: id, config: { topic: id, source, ...companions, ...config } }]
      }
    }
    const file = join(folder, 'reference.nxs')
    const report = await makeFile({
      structure: {
        children: [{ type: 'group', name: 'entry', attributes: { NX_class: 'NXentry' }, children: data.map(group) }]
      },
      file,
      parts: lookupOf(loaded.host),
      messages: data.flatMap(([topic, { messages }]) =>
        messages.map((text) => ({ topic, value: Buffer.from(text, 'base64') }))
      )
    })
    assert.deepEqual(
      report.streams.filter(({ bad }) => Object.keys(bad).length > 0),
      []
    )
    const wanted = data.flatMap(([id, { expected }]) =>
      Object.entries(expected).map(([name, value]) => [`entry/${id}/${name}`, value] as const)
    )
    assert.ok(wanted.length >= 40)
    const content = await readNexus(
      file,
      wanted.map(([path]) => path)
    )
    for (const [path, value] of wanted) assert.deepEqual(exact(content[path]), value, path)
  })
})
