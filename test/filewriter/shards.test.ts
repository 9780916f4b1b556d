// One job over several threads: parts by topic, one master file that leads to all of it.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { encodeMessage } from '../../schemas/index.js'
import { testTopics } from '../support/kafka.js'
import { readNexus } from '../support/nexus.js'
import { codes, entry, group, Harness, reportOf } from './harness.js'

describe('file writer with several threads per job', function () {
  this.timeout(180_000)
  let h: Harness
  before(async () => {
    h = await Harness.start({ threads_per_job: 3 })
  })
  after(async () => h?.close())

  it('writes each topic by one thread, and one file shows everything', async () => {
    const topics = await testTopics(['one', 'two', 'logs'])
    const t0 = Date.now() - 3_600_000
    for (let i = 0; i < 20; i++) {
      h.events(topics.one, 'det', t0 + i, [i, i + 1])
      h.events(topics.two, 'det', t0 + i, [100 + i])
      h.log(topics.logs, 'pv', t0 + i, i)
    }
    await h.producer.flush()
    const id = `shards-${randomUUID()}`
    const { children } = entry(
      group('one', 'ev44', topics.one, 'det'),
      group('two', 'ev44', topics.two, 'det'),
      group('logs', 'f144', topics.logs, 'pv')
    ) as { children: object[] }
    const reply = await h.start({
      job_id: id,
      file_name: 'many.nxs',
      start_time: t0,
      stop_time: t0 + 1000,
      nexus_structure: { children: [...children, { type: 'link', name: 'alias', target: '/entry/two' }] }
    })
    assert.equal(reply['response'], 'ACK', JSON.stringify(reply))
    const end = await h.done(id)
    assert.equal(end['error_encountered'], false, JSON.stringify(end))
    const report = reportOf(end)
    assert.deepEqual([report.messages, report.written, report.topics.length], [60, 60, 3])
    const file = join(h.folder, 'many.nxs')
    assert.equal(end['file_name'], file)
    assert.ok(existsSync(join(h.folder, 'many_1.nxs')) && existsSync(join(h.folder, 'many_2.nxs')))
    const numbers = (n: number, f: (i: number) => number) => Array.from({ length: n }, (_, i) => f(i))
    const detector = (name: string): string[] => [`${name}/event_id`, `${name}@NX_class`]
    const paths = [...detector('entry/one'), ...detector('entry/two'), 'alias/event_id', 'entry/logs/value']
    const content = await readNexus(file, [...paths, 'entry/one#link', 'entry/two#link', 'entry/logs#link'])
    assert.deepEqual(content['entry/one/event_id'], numbers(40, (i) => (i >> 1) + (i & 1))) // prettier-ignore
    assert.deepEqual(content['entry/two/event_id'], numbers(20, (i) => 100 + i)) // prettier-ignore
    assert.deepEqual(content['alias/event_id'], content['entry/two/event_id'])
    assert.deepEqual(content['entry/logs/value'], numbers(20, (i) => i)) // prettier-ignore
    assert.equal(content['entry/two@NX_class'], 'NXevent_data')
    // Which of the three stays in the master is the splitter's business
    const links = ['one', 'two', 'logs'].map((name) => (content[`entry/${name}#link`] as string[])[0])
    assert.deepEqual(links.toSorted(), ['external', 'external', 'hard'])
    // The parts are sound by themselves, too
    for (const part of ['many_1.nxs', 'many_2.nxs']) await readNexus(join(h.folder, part), [])
  })

  const isisFile = (topic: string, config: Readonly<Record<string, unknown>>): object => ({
    children: [
      {
        type: 'group',
        name: 'raw_data_1',
        attributes: { NX_class: 'NXentry' },
        children: [{ module: 'isis_run', config: { topic, source: 'dae', ...config } }]
      }
    ]
  })
  const histogram = { events: false, histogram: { spectra: 4, tof_us: [0, 8], bins: 2 } }

  it('a file of events and a file of histograms by one job, each with a structure of its own', async () => {
    const { runs } = await testTopics(['runs'])
    const t0 = Date.now() - 3_600_000
    for (let i = 0; i < 10; i++) {
      const times = { source_name: 'dae', message_id: i, reference_time: BigInt(t0 + i) * 1_000_000n }
      h.producer.send({ topic: runs, timestampMs: t0 + i, value: encodeMessage('pu00', { ...times, vetos: i % 2, period_number: 0, proton_charge: 1 }) }) // prettier-ignore
      h.events(runs, 'dae', t0 + i, [1, 3])
    }
    await h.producer.flush()
    const id = `files-${randomUUID()}`
    const structure = { ...isisFile(runs, {}), more_files: [{ suffix: '_histogram', ...isisFile(runs, histogram) }] }
    const start = { file_name: 'R1_event.nxs', start_time: t0, stop_time: t0 + 1000, nexus_structure: structure }
    const reply = await h.start({ ...start, job_id: id })
    const [first, second] = ['R1_event.nxs', 'R1_histogram.nxs'].map((name) => join(h.folder, name)) as [string, string]
    assert.deepEqual([reply['response'], (reply['result'] as Record<string, unknown>)['more_files']], ['ACK', [second]], JSON.stringify(reply)) // prettier-ignore
    const end = await h.done(id)
    assert.deepEqual([end['error_encountered'], end['file_name'], end['more_files']], [false, first, [second]], JSON.stringify(end)) // prettier-ignore
    const run = (path: string) => `raw_data_1/${path}`
    const events = await readNexus(first, [run('detector_1_events/event_id'), run('good_frames')])
    assert.equal((events[run('detector_1_events/event_id')] as number[]).length, 20)
    const counts = await readNexus(second, [
      run('detector_1/counts'),
      run('good_frames'),
      run('detector_1_events#link')
    ])
    assert.deepEqual([counts[run('good_frames')], events[run('good_frames')]], [5, 5])
    // 5 good frames of an event each in spectra 1 and 3
    const sums = (counts[run('detector_1/counts')] as number[][][])[0]?.map((row) => row.reduce((a, b) => a + b, 0))
    assert.deepEqual(sums, [5, 0, 5, 0])
    const again = await h.start({ ...start, job_id: randomUUID(), file_name: 'R1.nxs' })
    assert.deepEqual(codes(again), ['FILE_EXISTS /file_name'], JSON.stringify(again))
    const at = '/nexus_structure/more_files'
    const cases = [
      [
        [{ suffix: '/x' }, { suffix: '_a' }, { suffix: '_a' }, 7],
        [`STRUCTURE_INVALID ${at}/0/suffix`, `STRUCTURE_INVALID ${at}/2/suffix`, `STRUCTURE_INVALID ${at}/3`]
      ],
      [[{ suffix: '_a', children: [{ module: 'nothing' }] }], [`WRITER_UNKNOWN ${at}/0/children/0/module`]]
    ] as const
    for (const [more_files, found] of cases) {
      const refused = await h.start({ ...start, job_id: randomUUID(), file_name: 'R2.nxs', nexus_structure: { ...isisFile(runs, {}), more_files } }) // prettier-ignore
      assert.deepEqual(codes(refused), found, JSON.stringify(refused))
    }
    for (const name of ['R1.nxs', 'R2.nxs', 'R2.nxs.part', 'R2_a.nxs', 'R2_a.nxs.part'])
      assert.ok(!existsSync(join(h.folder, name)))
  })

  it('a file of flavour mantid is written by one thread, links and all', async () => {
    const topics = await testTopics(['events', 'logs'])
    const t0 = Date.now() - 3_600_000
    h.events(topics.events, 'det', t0 + 500, [7, 8])
    h.log(topics.logs, 'pv', t0 - 500, 3)
    await h.producer.flush()
    const attributes = { NX_class: 'NXdetector' }
    const detector = {
      type: 'group',
      name: 'bank',
      attributes,
      children: [group('events', 'ev44', topics.events, 'det')]
    }
    const nexus_structure = entry(detector, group('temperature', 'f144', topics.logs, 'pv'))
    const run = { start_time: t0, stop_time: t0 + 1000 }
    for (const [name, flavour] of Object.entries({ command: { flavour: 'mantid' }, structure: {} })) {
      const id = `mantid-${randomUUID()}`
      const structure = name === 'structure' ? { ...nexus_structure, flavour: 'mantid' } : nexus_structure
      const reply = await h.start({ job_id: id, file_name: `${name}.nxs`, ...run, ...flavour, nexus_structure: structure }) // prettier-ignore
      assert.equal(reply['response'], 'ACK', JSON.stringify(reply))
      assert.equal((await h.done(id))['error_encountered'], false)
      assert.ok(!existsSync(join(h.folder, `${name}_1.nxs`)))
      const paths = ['entry/bank_events/event_id', 'entry/DASlogs/temperature/value', 'entry/DASlogs/temperature/time']
      assert.deepEqual(Object.values(await readNexus(join(h.folder, `${name}.nxs`), paths)), [[7, 8], [3], [-0.5]])
    }
  })

  it('divides one topic by partition where the structure says which source is where', async () => {
    const { det: topic } = await testTopics(['det'], { partitions: 4 })
    const t0 = Date.now() - 3_600_000
    // `two` is spread over two partitions, and comes in the order of each; partition 3 is nobody's.
    for (let i = 0; i < 20; i++) {
      h.events(topic, 'one', t0 + i, [i], 0)
      h.events(topic, 'two', t0 + i, [100 + i], 1 + (i % 2))
      h.events(topic, 'one', t0 + i, [500], 3)
    }
    h.log(topic, 'pv', t0, 7, 0)
    await h.producer.flush()
    const id = `partitions-${randomUUID()}`
    const structure = entry(
      group('one', 'ev44', topic, 'one', { partitions: [0] }),
      group('two', 'ev44', topic, 'two', { partitions: [1] }),
      group('again', 'ev44', topic, 'two', { partitions: [2] }),
      group('logs', 'f144', topic, 'pv', { partitions: [0] })
    ) as { children: object[] }
    const run = { file_name: 'parted.nxs', start_time: t0, stop_time: t0 + 1000 }
    const alias = { type: 'link', name: 'alias', target: '/entry/two' }
    const nexus_structure = { children: [...structure.children, alias] }
    const reply = await h.start({ job_id: id, ...run, nexus_structure })
    assert.equal(reply['response'], 'ACK', JSON.stringify(reply))
    const end = await h.done(id)
    assert.equal(end['error_encountered'], false, JSON.stringify(end))
    const report = reportOf(end)
    assert.deepEqual([report.messages, report.written], [41, 41])
    const topics = report.topics.map(({ partitions, messages }) => `${String(partitions)}: ${messages}`)
    assert.deepEqual(topics.toSorted(), ['0: 21', '1: 10', '2: 10'])
    assert.ok(report.notes.includes(`no stream asks for partitions 3 of ${topic}: they were not read`), String(report.notes)) // prettier-ignore
    assert.ok(['parted_1.nxs', 'parted_2.nxs'].every((name) => existsSync(join(h.folder, name))))
    const content = await readNexus(join(h.folder, 'parted.nxs'), ['one/event_id', 'two/event_id', 'again/event_id', 'logs/value'].map((path) => `entry/${path}`)) // prettier-ignore
    const numbers = (n: number, f: (i: number) => number) => Array.from({ length: n }, (_, i) => f(i))
    assert.deepEqual(Object.values(content), [
      numbers(20, (i) => i),
      numbers(10, (i) => 100 + 2 * i),
      numbers(10, (i) => 101 + 2 * i),
      [7]
    ])

    const bad = entry(
      group('one', 'ev44', topic, 'one', { partitions: [0, 1] }),
      group('two', 'ev44', topic, 'two', { partitions: [1, 2] }),
      group('logs', 'f144', topic, 'pv'),
      group('late', 'f144', topic, 'pv', { partitions: [1, 1] })
    )
    const where = (i: number): string => `STRUCTURE_INVALID /nexus_structure/children/0/children/${i}/children/0/config/partitions` // prettier-ignore
    const refused = await h.start({ ...run, file_name: 'no.nxs', nexus_structure: bad })
    assert.deepEqual(codes(refused).toSorted(), [where(1), where(2), where(3)])
    const beyond = entry(group('one', 'ev44', topic, 'one', { partitions: [0, 4] }))
    const none = await h.start({ ...run, file_name: 'no.nxs', nexus_structure: beyond })
    assert.deepEqual(codes(none), [where(0).replace('STRUCTURE_INVALID', 'TOPIC_MISSING')])
  })

  it('refuses the job as a whole, with the path in the structure that was sent, and leaves nothing behind', async () => {
    const topics = await testTopics(['one', 'two'])
    const structure = entry(
      group('one', 'ev44', topics.one, 'det'),
      group('two', 'ev44', topics.two, 'det', { nonsense: 1 })
    )
    const refused = await h.start({ file_name: 'bad.nxs', start_time: 1, nexus_structure: structure })
    assert.deepEqual(codes(refused), [
      'STRUCTURE_INVALID /nexus_structure/children/0/children/1/children/0/config/nonsense'
    ])
    const sound = entry(group('one', 'ev44', topics.one, 'det'), group('two', 'ev44', `${topics.two}-missing`, 'det'))
    const missing = await h.start({ file_name: 'bad.nxs', start_time: 1, nexus_structure: sound })
    assert.match(codes(missing).join(), /^TOPIC_MISSING/)
    for (const name of ['bad.nxs', 'bad_1.nxs', 'bad.nxs.part', 'bad_1.nxs.part'])
      assert.equal(existsSync(join(h.folder, name)), false)
  })
})
