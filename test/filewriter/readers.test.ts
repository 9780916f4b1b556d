// Files for Mantid, scippnexus and nxvalidate: ours are accepted, files broken on purpose are told apart, by rules and by readers of their own.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Told } from '../../core/api/plugin.js'
import { loadPlugins, type Loaded } from '../../core/loader.js'
import { lookupOf } from '../../core/lookup.js'
import { packageRoot } from '../../core/root.js'
import { inspectFile, readers } from '../../plugins/service-filewriter/readers/index.js'
import { makeFile } from '../../plugins/service-filewriter/structure/make-file.js'
import { nexstream } from '../cli/child.js'
import { examineNexus } from '../support/nexus.js'
import { pythonLines, runPython } from '../support/python.js'
import { Sample } from './samples.js'

const script = join(packageRoot, 'test/support/python/mantid_reader.py')

interface Reading {
  readonly verdicts: Readonly<Record<string, readonly string[]>>
  readonly events: Readonly<Record<string, readonly [events: readonly [number, number][], index: readonly number[]]>>
  readonly logs: Readonly<Record<string, readonly [times: readonly number[], values: readonly unknown[]]>>
  readonly instrument: string
}

const rulesNotMet = (told: readonly Told[]): string[] =>
  [...new Set(told.filter(({ met }) => met === false).map(({ code }) => code))].toSorted()

describe('files for their readers', function () {
  this.timeout(120_000)
  let loaded: Loaded
  let folder: string
  let file: string
  before(async () => {
    loaded = await loadPlugins({ plugins: [], baseFolder: '.' })
    folder = mkdtempSync(join(tmpdir(), 'nexstream-readers-'))
    const [sample] = Sample.all(['flavour-mantid'])
    assert.ok(sample)
    file = (await sample.make(lookupOf(loaded.host), folder)).file
  })
  after(async () => {
    rmSync(folder, { recursive: true })
    await loaded.close()
  })

  it('has the same rules as the reader of the tests, each with where it comes from', async () => {
    const wanted = JSON.parse(await runPython(script, ['rules'])) as [string, string][]
    assert.deepEqual(readers.mantid.map(({ id, from }) => [id, from]), wanted) // prettier-ignore
  })

  it('a file of flavour mantid meets every rule, and its events and logs are read', async () => {
    for (const reader of Object.keys(readers))
      assert.deepEqual(rulesNotMet(await inspectFile(file, { for: reader })), [], reader)
    const python = await pythonLines(script)
    const { verdicts, events, logs, instrument } = (await python.ask({ file })) as Reading
    await python.close()
    assert.deepEqual(Object.entries(verdicts).filter(([, wrong]) => wrong.length > 0), []) // prettier-ignore
    assert.deepEqual(events['bank1_events'], [[[1, 1000], [1, 1000], [2, 2000], [1, 1000], [2, 2000], [3, 3000]], [0, 0, 1, 3]]) // prettier-ignore
    assert.deepEqual(Object.keys(events), ['bank1_events', 'bank2_events', 'bank3_events'])
    assert.deepEqual(logs['/entry/DASlogs/temperature'], [[-5, 1.5], [281.5, 282.25]]) // prettier-ignore
    assert.deepEqual(logs['/entry/DASlogs/state'], [[1, 2], ['warm', 'cold']]) // prettier-ignore
    assert.deepEqual(logs['/entry/DASlogs/proton_charge'], [[1, 1.5, 2, 2.5], [0.5, 1.5, 2.5, 3.5]]) // prettier-ignore
    assert.equal(instrument, 'AMOR')
  })

  it('a file of histograms of ISIS has all that Mantid asks for', async () => {
    const [sample] = Sample.all(['isis-histogram'])
    assert.ok(sample)
    const { file } = await sample.make(lookupOf(loaded.host), folder)
    assert.deepEqual(rulesNotMet(await inspectFile(file, { for: 'mantid' })), [])
  })

  it('so does a run as ISIS has it, with its periods', async () => {
    const [sample] = Sample.all(['isis-run'])
    assert.ok(sample)
    const run = (await sample.make(lookupOf(loaded.host), folder)).file
    for (const reader of ['mantid', 'scippnexus'])
      assert.deepEqual(rulesNotMet(await inspectFile(run, { for: reader })), [], reader)
    const python = await pythonLines(script)
    const { verdicts, events, logs } = (await python.ask({ file: run })) as Reading
    await python.close()
    assert.deepEqual(Object.entries(verdicts).filter(([, wrong]) => wrong.length > 0), []) // prettier-ignore
    assert.deepEqual(events['detector_1_events']?.[1], [0, 3, 4, 5, 5])
    assert.deepEqual(logs['/raw_data_1/framelog/period_log'], [[1, 2, 3, 4, 5], [1, 1, 2, 2, 2]]) // prettier-ignore
    assert.deepEqual(logs['/raw_data_1/runlog/icp_event']?.[1], ['BEGIN', 'CHANGE_PERIOD 2', 'END'])
  })

  it('each file that is broken on purpose breaks the same rules here and there', async () => {
    const names = JSON.parse(await runPython(script, ['break', file, folder])) as string[]
    assert.ok(names.length > 30)
    const python = await pythonLines(script)
    const broken = new Set<string>()
    for (const name of names) {
      const path = join(folder, `${name}.nxs`)
      const { verdicts } = (await python.ask({ file: path })) as Reading
      const theirs = Object.keys(verdicts).filter((rule) => (verdicts[rule] ?? []).length > 0).map((rule) => `mantid/${rule}`) // prettier-ignore
      const ours = rulesNotMet(await inspectFile(path, { for: 'mantid' }))
      assert.deepEqual(ours, theirs.toSorted(), name)
      const own = ours.filter((code) => name.startsWith(code.slice('mantid/'.length)))
      assert.ok(own.length > 0, `${name} breaks ${ours.join(', ')}`)
      for (const code of ours) broken.add(code)
    }
    await python.close()
    assert.deepEqual(readers.mantid.map(({ id }) => `mantid/${id}`).filter((code) => !broken.has(code)), []) // prettier-ignore
  })

  it('says of the usual layout what Mantid would miss', async () => {
    const [sample] = Sample.all(['flavour-mantid'])
    assert.ok(sample)
    const usual = join(folder, 'usual.nxs')
    const parts = lookupOf(loaded.host)
    const structure = { ...(JSON.parse(sample.text('structure.json')) as object), flavour: 'usual' }
    await makeFile({ structure, file: usual, messages: sample.messages(parts), parts })
    const told = await inspectFile(usual, { for: 'mantid' })
    assert.deepEqual(rulesNotMet(told), ['mantid/event-groups', 'mantid/log-groups', 'mantid/log-times', 'mantid/proton-charge', 'mantid/start']) // prettier-ignore
    for (const reader of ['scippnexus', 'nxvalidate'])
      assert.deepEqual(rulesNotMet(await inspectFile(usual, { for: reader })), [], reader)
  })

  it('a log of arrays stays out of DASlogs, a name that two logs have gets more of their paths, and nothing is taken away', async () => {
    const log = (name: string, more: object = {}): object => ({ type: 'group', name, children: [{ module: 'f144', config: { topic: 't', source: name, ...more } }] }) // prettier-ignore
    const group = (name: string, NX_class: string, children: object[]): object => ({ type: 'group', name, attributes: { NX_class }, children }) // prettier-ignore
    const given = group('DASlogs', 'NXcollection', [group('b_x', 'NXnote', [])])
    const children = [given, log('wave', { array_size: 2 }), group('a', 'NXcollection', [log('x')]), group('b', 'NXcollection', [log('x')])] // prettier-ignore
    const parts = lookupOf(loaded.host)
    const path = join(folder, 'names.nxs')
    await makeFile({ structure: { children: [group('entry', 'NXentry', children)] }, flavour: 'mantid', file: path, messages: [], parts }) // prettier-ignore
    const { content } = await examineNexus(path, ['entry/DASlogs', 'entry/DASlogs/b_x@NX_class', 'entry/wave/value'])
    assert.deepEqual(content, { 'entry/DASlogs': ['a_x', 'b_x'], 'entry/DASlogs/b_x@NX_class': 'NXnote', 'entry/wave/value': [] }) // prettier-ignore
    const lost = (await inspectFile(path, { for: 'mantid' })).find(({ code, met }) => code === 'mantid/log-groups' && met === false) // prettier-ignore
    assert.match(lost?.message ?? '', /2 of 4 logs are not found: \/entry\/wave, \/entry\/b\/x;/)
  })

  it('on the command line: each rule as met or not, exit code 5 where one is not, usage errors', async () => {
    const good = await nexstream(['check', '--for', 'mantid,nxvalidate', file])
    assert.equal(good.code, 0, good.stdout + good.stderr)
    assert.match(good.stdout, /: met: mantid\/event-index \/entry\/bank1_events\/event_index 4 rows, as many as pulses/)
    assert.match(good.stderr, /nexus is good/)
    const bad = await nexstream(['check', '--for', 'mantid', '--json', join(folder, 'usual.nxs')])
    assert.equal(bad.code, 5)
    const lines = bad.stdout.trim().split('\n').map((line) => JSON.parse(line) as Told) // prettier-ignore
    const groups = lines.find(({ code, met }) => code === 'mantid/event-groups' && met === false)
    assert.equal(groups?.path, '/entry/instrument/bank1/events')
    assert.match(groups.message, /LoadEventNexus\): link it into \/entry/)
    assert.equal((await nexstream(['check', file])).code, 2)
    assert.equal((await nexstream(['check', '--for', 'klingon', file])).code, 2)
  })
})
