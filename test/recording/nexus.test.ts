// `nexstream play` of NeXus files: file → Kafka → file is equal, but for what must differ.
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jsonLines, nexstream } from '../cli/child.js'
import { kafka, testTopics } from '../support/kafka.js'
import { readNexus } from '../support/nexus.js'
import { chopperFile, runPython } from '../support/python.js'

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

  /** Of a file of others and the one made of it: nothing but what must differ. Gives the names that were added. */
  async function requireSame(one: string, made: string): Promise<string[]> {
    const times = /\/(event_time_zero|event_time_offset|event_index|event_id|time)$/
    const all = (await differences(one, made)).map((line) => JSON.parse(line) as string[])
    // Nothing of the first is missing, and no value is another; times have another unit
    const isUnit = ([kind, path]: string[]): boolean => kind === 'attribute' && times.test(path!)
    assert.deepEqual(all.filter((one) => ['only in first', 'content', 'attribute'].includes(one[0]!) && !isUnit(one)), []) // prettier-ignore
    const added = new Set(all.filter(([kind]) => kind === 'only in second').map(([, path]) => path!.slice(path!.lastIndexOf('/') + 1))) // prettier-ignore
    assert.ok(all.filter(([kind]) => kind === 'type').every(([, path]) => times.test(path!)))
    await readNexus(join(folder, made), [])
    return [...added].sort()
  }
  /** Of ours nothing differs but the name and the time of the file. */
  async function requireEqual(one: string, made: string): Promise<void> {
    const own = await differences(one, made)
    assert.deepEqual(own, [JSON.stringify(['attribute', '/', 'file_name']), JSON.stringify(['attribute', '/', 'file_time'])].map((text) => text.replace(/","/g, '", "'))) // prettier-ignore
  }
  const ours = ['average_value', 'cue_index', 'cue_pulse_index', 'cue_timestamp_zero', 'maximum_value', 'minimum_value', 'total_counts'] // prettier-ignore

  it('makes it again: one as that of ESS, and then ours', async () => {
    await runPython(script, ['make', join(folder, 'others.nxs')])
    const played = await round('others.nxs', 'first.nxs')
    assert.equal(played['sent'], 200 + 10 + 4 * 50 + 20)
    assert.deepEqual(await requireSame('others.nxs', 'first.nxs'), ours)
    await round('first.nxs', 'second.nxs')
    await requireEqual('first.nxs', 'second.nxs')
  })

  it('makes it again: one as that of ISIS, and then ours', async () => {
    await runPython(script, ['make-isis', join(folder, 'isis.nxs')])
    const played = await round('isis.nxs', 'isis-1.nxs')
    assert.equal(played['sent'], 120 + 120 + 3 * 40)
    assert.deepEqual(await requireSame('isis.nxs', 'isis-1.nxs'), ours)
    await round('isis-1.nxs', 'isis-2.nxs')
    await requireEqual('isis-1.nxs', 'isis-2.nxs')
  })

  it('makes it again: whatever logs and events it has', async () => {
    const seed = String(process.env['FC_SEED'] ?? Date.now() % 0x7fffffff)
    await runPython(script, ['make-random', join(folder, 'random.nxs'), seed])
    try {
      await round('random.nxs', 'random-1.nxs')
      await requireSame('random.nxs', 'random-1.nxs')
      await round('random-1.nxs', 'random-2.nxs')
      await requireEqual('random-1.nxs', 'random-2.nxs')
    } catch (error) {
      throw new Error(`FC_SEED=${seed}`, { cause: error })
    }
  })

  it('makes events of a file that has histograms only: of each count one, the same for a seed', async () => {
    const chopper = join(folder, 'chopper.nxs')
    copyFileSync(await chopperFile(), chopper)
    const played = await round('chopper.nxs', 'made.nxs')
    // Its source has 30 pulses a second, for 10 s
    assert.equal(played['sent'], 3 * 300)
    const histogrammed = await runPython(`
import h5py, numpy, sys
with h5py.File(sys.argv[1]) as first, h5py.File(sys.argv[2]) as second:
    for name in ("data", "monitor1", "monitor2"):
        group, events = first["entry"][name], second["entry"][name]["sampled_events"]
        counts = numpy.atleast_2d(group["data"][()])
        edges = group["time_of_flight"][()].astype("float64") * 1000
        found, _, _ = numpy.histogram2d(events["event_id"][()], events["event_time_offset"][()], bins=[numpy.arange(len(counts) + 1) + 0.5, edges])
        print(name, len(events["event_id"]), bool((found == counts).all()))
    print(second["entry/title"][0].decode(), second["entry/data/data"].shape)
`, [chopper, join(folder, 'made.nxs')]) // prettier-ignore
    assert.equal(histogrammed, 'data 2666912 True\nmonitor1 146389 True\nmonitor2 31732 True\nMgB2 PDOS 43.37g 8K 120meV E0@240Hz T0@120Hz (148, 750)\n') // prettier-ignore
    const { events } = await testTopics(['events'], kept)
    const again = await cli('play', 'chopper.nxs', '--map', `events=${events}`, '--speed', 'max', '--source', 'entry/monitor1', '--over', '2s', '--seed', '7') // prettier-ignore
    assert.match(again.stdout, /^60 messages into 1 topics/)
    assert.match(again.stderr, /has histograms and no events: .* by seed 7/)
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
