// `nexstream play` of NeXus files: file → Kafka → file is equal, but for what must differ.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jsonLines, nexstream } from '../cli/child.js'
import { kafka, testTopics } from '../support/kafka.js'
import { readNexus } from '../support/nexus.js'
import { runPython } from '../support/python.js'

/** Its times are old: Kafka would delete them by the usual retention. */
const kept = { config: { 'retention.ms': '-1' } }
const script = 'test/support/python/nexus_files.py'

describe('nexstream play of a NeXus file', function () {
  this.timeout(240_000)
  let folder: string
  let brokers: string
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nexstream-nexus-'))
    brokers = (await kafka()).brokers.join(',')
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  const cli = (...args: string[]) => nexstream([...args, '--timeout', '60s'], { cwd: folder, env: { NEXSTREAM_BROKERS: brokers } }) // prettier-ignore
  const json = (...args: string[]) => jsonLines([...args, '--json', '--timeout', '60s'], { cwd: folder, env: { NEXSTREAM_BROKERS: brokers } }) // prettier-ignore

  /** Into Kafka and out of it again. */
  async function round(source: string, target: string): Promise<Record<string, unknown>> {
    const { events, logs } = await testTopics(['events', 'logs'], kept)
    const map = `events=${events},logs=${logs}`
    const [played] = await json('play', source, '--map', map, '--speed', 'max', '--write-command', `${target}.json`)
    assert.deepEqual([played?.['failed'], played?.['left']], [0, 0])
    await json('record', events, logs, '-o', `${target}.mcap`, '--from', 'start', '--to', 'now')
    const made = await cli('make-file', `${target}.json`, `${target}.mcap`, '-o', target)
    assert.equal(made.code, 0, made.stderr)
    return played!
  }
  const differences = async (one: string, other: string): Promise<string[]> =>
    (await runPython(script, ['compare', join(folder, one), join(folder, other)])).trim().split('\n').filter((line) => line !== '') // prettier-ignore

  it('makes it again: one of others, and then ours', async () => {
    await runPython(script, ['make', join(folder, 'others.nxs')])
    const played = await round('others.nxs', 'first.nxs')
    assert.equal(played['sent'], 200 + 10 + 4 * 50 + 20)
    const times = /\/(event_time_zero|event_time_offset|event_index|event_id|time)$/
    const all = (await differences('others.nxs', 'first.nxs')).map((line) => JSON.parse(line) as string[])
    // Nothing of the first is missing, and no value is another; times have another unit
    const isUnit = ([kind, path]: string[]): boolean => kind === 'attribute' && times.test(path!)
    assert.deepEqual(all.filter((one) => ['only in first', 'content', 'attribute'].includes(one[0]!) && !isUnit(one)), []) // prettier-ignore
    const added = new Set(all.filter(([kind]) => kind === 'only in second').map(([, path]) => path!.slice(path!.lastIndexOf('/') + 1))) // prettier-ignore
    assert.deepEqual([...added].sort(), ['average_value', 'cue_index', 'cue_pulse_index', 'cue_timestamp_zero', 'maximum_value', 'minimum_value', 'total_counts']) // prettier-ignore
    assert.ok(all.filter(([kind]) => kind === 'type').every(([, path]) => times.test(path!)))
    await readNexus(join(folder, 'first.nxs'), [])

    await round('first.nxs', 'second.nxs')
    const own = await differences('first.nxs', 'second.nxs')
    assert.deepEqual(own, [JSON.stringify(['attribute', '/', 'file_name']), JSON.stringify(['attribute', '/', 'file_time'])].map((text) => text.replace(/","/g, '", "'))) // prettier-ignore
  })

  it('says what of a file cannot be played, and refuses one that contradicts itself', async () => {
    const { events, logs } = await testTopics(['events', 'logs'], kept)
    const map = ['--map', `events=${events},logs=${logs}`, '--speed', 'max']
    const one = await cli('play', 'others.nxs', ...map, '--topic', 'logs', '--source', 'entry/sample/state')
    assert.match(one.stdout, /^50 messages into 1 topics/)
    assert.match(one.stderr, /\/entry\/sample\/note is not played: value is string of shape \[2\]/)
    const wrong = await runPython(`
import h5py, shutil, sys
shutil.copy(sys.argv[1], sys.argv[2])
with h5py.File(sys.argv[2], "a") as file:
    file["entry/monitor/events/event_index"][5] = 1000
`, [join(folder, 'others.nxs'), join(folder, 'wrong.nxs')]) // prettier-ignore
    assert.equal(wrong, '')
    const refused = await cli('play', 'wrong.nxs', ...map)
    assert.deepEqual([refused.code, /^FILE_READ: wrong\.nxs: \/entry\/monitor\/events: pulse \d points to events/m.test(refused.stderr)], [2, true]) // prettier-ignore
    writeFileSync(join(folder, 'cut.nxs'), readFileSync(join(folder, 'others.nxs')).subarray(0, 3000))
    assert.match((await cli('play', 'cut.nxs', ...map)).stderr, /^(FILE_READ|HDF5_FAILED): cut\.nxs/m)
    assert.match((await cli('play', 'absent.nxs', ...map)).stderr, /^FILE_READ: absent\.nxs cannot be read/)
  })
})
