// What the check of a structure finds good can be written: extreme options and taken names for every writer module.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WasmFile } from '../../plugins/service-filewriter/file/wasm.js'
import { loadPlugins, type Loaded } from '../../core/loader.js'
import { makeFile } from '../../plugins/service-filewriter/structure/make-file.js'
import { readMessages, type TopicMessage } from '../../plugins/service-filewriter/structure/messages.js'
import { lookupOf } from '../../core/lookup.js'
import { checkStructure, type WriterParts } from '../../plugins/service-filewriter/structure/structure.js'
import { cases, record, timesNs } from './damage.js'

const numbers = [1, 2 ** 31, 1e12, 2 ** 53 - 1]
const lists = [[1], [2 ** 31], [1, 2 ** 32 - 1], [2 ** 20, 2 ** 20], Array(31).fill(1), Array(32).fill(2)]
const texts = ['value', 'time', 'a/b', '', '.', 'x'.repeat(5000), '__proto__']

/** Values of an option that its schema may allow, at the ends of the range and beyond what makes sense. */
function extremes(schema: object): unknown[] {
  const text = JSON.stringify(schema)
  const words = 'type' in schema && schema.type === 'string' && !('enum' in schema)
  return [
    ...(text.includes('"integer"') ? numbers : []),
    ...(text.includes('"array"') ? lists : []),
    ...(words ? texts : [])
  ]
}

describe('structures that are found good', function () {
  this.timeout(300_000)
  let loaded: Loaded
  let parts: WriterParts
  let folder: string
  let n = 0
  before(async () => {
    loaded = await loadPlugins({ plugins: [], baseFolder: '.' })
    parts = lookupOf(loaded.host)
    folder = mkdtempSync(join(tmpdir(), 'nexstream-structures-'))
  })
  after(async () => {
    rmSync(folder, { recursive: true })
    await loaded.close()
  })

  /** True when the file was made: without findings it must be. */
  async function made(nodes: readonly object[], messages: readonly TopicMessage[], what: string): Promise<boolean> {
    const group = { type: 'group', name: 'data', children: nodes }
    const structure = { children: [{ type: 'group', name: 'entry', attributes: { NX_class: 'NXentry' }, children: [group] }] } // prettier-ignore
    const { findings } = checkStructure(structure, parts)
    if (findings.length > 0) return false
    const file = join(folder, `${n++}.nxs`)
    const report = await makeFile({ structure, file, messages, parts }).catch((error: unknown) => assert.fail(`${what}: ${String(error)}`)) // prettier-ignore
    assert.deepEqual(report.problems, [], what)
    for (const { bad } of report.streams) assert.equal(bad['writer_failed'], undefined, what)
    return true
  }

  for (const [id, example] of Object.entries(cases))
    it(`are written: ${id}`, async () => {
      const source = id === 'NDAr' ? 'ADPluginKafka' : 'src'
      const stream = (more: object = {}): object => ({ module: id, config: { topic: id, source, ...example.config, ...more } }) // prettier-ignore
      const messages = readMessages(timesNs.map((time) => record(id, example, time)).join('\n'), '.', parts)
      const options = (parts.writer(id)?.config as { properties?: Record<string, object> }).properties ?? {}
      for (const [key, schema] of Object.entries(options))
        for (const value of extremes(schema)) {
          const what = `${key}: ${JSON.stringify(value).slice(0, 80)}`
          await made([stream({ [key]: value })], messages, what)
        }
      const first = join(folder, `${n}.nxs`)
      assert.ok(await made([stream()], messages, 'alone'))
      const file = (await WasmFile.library())(first, 'read')
      const names = file.children('/entry/data')
      file.close()
      for (const name of [...names, 'plot', 'data']) {
        const node = { module: 'dataset', config: { name, values: 1 } }
        const results = [await made([node, stream()], messages, name), await made([stream(), node], messages, name)]
        assert.equal(results[0], results[1], `${name}: the order does not matter`)
        // Axes get their names from messages; without one of them a name is free
        if (!['x', 'axis_0'].includes(name) && names.includes(name))
          assert.equal(results[0], false, `${name} is made twice`)
      }
    })
})
