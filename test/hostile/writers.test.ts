// Hostile data messages through every writer: nothing crashes, each is counted by reason, good messages around them are written.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadPlugins, type Loaded } from '../../core/loader.js'
import { makeFile } from '../../plugins/service-filewriter/structure/make-file.js'
import { readMessages } from '../../plugins/service-filewriter/structure/messages.js'
import { lookupOf } from '../../core/lookup.js'
import { encodeMessage } from '../../schemas/index.js'
import { readNexus } from '../support/nexus.js'
import { cases, damaged, hostileContent, record, START_NS, timesNs, sourceOf } from './damage.js'
import { type WriterPart } from '../../plugins/service-filewriter/writer-kit.js'

let loaded: Loaded
let folder: string
function prepare(): void {
  before(async () => {
    loaded = await loadPlugins({ plugins: [], baseFolder: '.' })
    folder = mkdtempSync(join(tmpdir(), 'nexstream-hostile-'))
  })
  after(async () => {
    rmSync(folder, { recursive: true })
    await loaded.close()
  })
}

describe('hostile messages through the writers', function () {
  this.timeout(120_000)
  prepare()

  /** A file of one stream; the report of the stream and of its topic. */
  async function write(id: string, config: object, messages: readonly Buffer[], name = id) {
    const parts = lookupOf(loaded.host)
    const source = sourceOf(id)
    const group = { type: 'group', name: 'data', children: [{ module: id, config: { topic: id, source, ...config } }] }
    const file = join(folder, `${name}.nxs`)
    const report = await makeFile({
      structure: {
        children: [{ type: 'group', name: 'entry', attributes: { NX_class: 'NXentry' }, children: [group] }]
      },
      file,
      parts,
      startNs: START_NS,
      // What is damaged beyond this time is not in the window
      stopNs: START_NS + 3_600_000_000_000n,
      messages: messages.map((value) => ({ topic: id, value }))
    })
    const stream = report.streams.find(({ module }) => module === id)
    const [topic] = report.topics
    assert.ok(stream !== undefined && topic !== undefined)
    return { file, report, stream, topic }
  }

  const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0)

  it('knows every module that takes messages', () => {
    const ids = loaded.host
      .ids('writer')
      .filter((id) => (loaded.host.part('writer', id) as WriterPart).accepts.length > 0)
    const aliases = [
      'NXlog',
      'NXevent_data',
      'alarm_info',
      'epics_con_info',
      'df12',
      'IXseblock_alarm',
      'IXseblock_setpoint'
    ]
    assert.deepEqual(ids.filter((id) => !aliases.includes(id)).toSorted(), Object.keys(cases).toSorted())
  })

  for (const [id, example] of Object.entries(cases)) {
    it(`${id}: truncated, random, with wrong vtables and lengths`, async () => {
      const lines = timesNs.map((time) => record(id, example, time)).join('\n')
      const good = readMessages(lines, folder, lookupOf(loaded.host)).map(({ value }) => value)
      const [first, last] = good
      assert.ok(first !== undefined && last !== undefined)
      const bad = damaged(first)
      const companions = id === 'f144' || id === 'se00' || id === 'senv' || id === 'tdct' ? { enable_alarm_info: false, enable_epics_con_info: false } : {} // prettier-ignore
      const { file, stream, topic } = await write(id, { ...companions, ...example.config }, [first, ...bad, last])
      assert.equal(topic.messages, bad.length + 2)
      // Each is accounted for, once
      assert.equal(stream.received + sum(topic.bad) + topic.other_schema + topic.other_source, topic.messages)
      const told = stream.written + sum(stream.bad) + stream.before_start + stream.after_stop + stream.repeated
      assert.equal(told - (stream.written > stream.received ? 1 : 0), stream.received)
      assert.equal(stream.bad['writer_failed'], undefined)
      assert.ok(sum(topic.bad) + sum(stream.bad) > 300, 'most of them are bad')
      assert.ok((topic.bad['too_small'] ?? 0) >= 8)
      const path = `entry/data/${example.rows}`
      const content = await readNexus(file, [path])
      const rows = (content[path] as (number | string)[]).map(String)
      const wanted = timesNs.map((time) => String(example.seconds === true ? Number(time - START_NS) / 1e9 : time))
      for (const time of wanted) assert.ok(rows.includes(time), `${id}: ${time} is not in ${rows.join(' ')}`)
    })
  }

  it('f142: a damaged message does not take the place of the last good value before the run', async () => {
    const before = (seconds: number): Buffer => {
      const fields = { source_name: 'src', timestamp: START_NS - BigInt(seconds) * 1_000_000_000n }
      return encodeMessage('f142', { ...fields, value: { type: 'Double', value: { value: seconds } } })
    }
    // Its value lies nowhere
    const cut = encodeMessage('f142', { source_name: 'src', timestamp: START_NS - 1n })
    const { file, stream } = await write('f142', {}, [before(3), before(2), cut], 'kept')
    assert.deepEqual([stream.written, stream.before_start, stream.bad], [1, 2, { missing_field: 1 }])
    assert.deepEqual((await readNexus(file, ['entry/data/value']))['entry/data/value'], [2])
  })

  it('df12: the last good map', async () => {
    const map = (n: number): Buffer => encodeMessage('df12', { spectrum: [n], detector_id: [n], n_spectra: 1 })
    const { file, stream } = await write('df12', {}, [map(1), map(2), ...damaged(map(2)).slice(0, 40)])
    assert.equal(stream.written, 1)
    assert.deepEqual((await readNexus(file, ['entry/data/spectrum']))['entry/data/spectrum'], [2])
  })
})

describe('hostile content of sound messages', function () {
  this.timeout(120_000)
  prepare()

  for (const [module, config, messages, bad, expected] of hostileContent) {
    it(`${module}: impossible times, sizes and numbers`, async () => {
      const file = join(folder, `${module}.nxs`)
      const group = {
        type: 'group',
        name: 'data',
        children: [{ module, config: { topic: 't', source: 'src', ...config } }]
      }
      const report = await makeFile({
        structure: {
          children: [{ type: 'group', name: 'entry', attributes: { NX_class: 'NXentry' }, children: [group] }]
        },
        file,
        parts: lookupOf(loaded.host),
        messages: messages.map(([id, fields]) => ({ topic: 't', value: encodeMessage(id, fields) }))
      })
      const reasons: Record<string, number> = {}
      for (const counts of [report.topics[0]?.bad, report.streams.find((stream) => stream.module === module)?.bad])
        for (const [reason, n] of Object.entries(counts ?? {})) reasons[reason] = (reasons[reason] ?? 0) + n
      assert.deepEqual(reasons, bad)
      const content = await readNexus(
        file,
        Object.keys(expected).map((name) => `entry/data/${name}`)
      )
      for (const [name, value] of Object.entries(expected)) assert.deepEqual(content[`entry/data/${name}`], value, name)
    })
  }
})
