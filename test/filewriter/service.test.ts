// The file writer on a real Kafka, steered by JSON commands: windows, last values, stops, refusals, reports.
import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type JobReport } from '../../plugins/service-filewriter/structure/report.js'
import { logF144 } from '../../plugins/converter-logs/codec.js'
import { testTopics } from '../support/kafka.js'
import { readNexus } from '../support/nexus.js'
import { createTopic } from '../support/topics.js'
import { codes, entry, group, Harness, reportOf } from './harness.js'

describe('file writer on a real Kafka', function () {
  this.timeout(180_000)
  let h: Harness
  before(async () => {
    h = await Harness.start()
  })
  after(async () => h?.close())

  it('writes a window of the past at once, with the last values from long before it', async () => {
    const hour = 3_600_000
    const topics = await testTopics(['env', 'events'])
    const t0 = Date.now() - 10 * hour
    h.log(topics.env, 'rare', t0 - 5 * hour, 1)
    h.log(topics.env, 'rare', t0 - 4 * hour, 2)
    h.log(topics.env, 'busy', t0 - 3 * hour, -1)
    for (let i = 0; i <= 60; i++) {
      h.log(topics.env, 'busy', t0 - 30_000 + i * 1000, i)
      h.events(topics.events, 'det', t0 - 30_000 + i * 1000, [i, i + 1])
    }
    h.log(topics.env, 'busy', t0 + hour, 1000)
    await h.producer.flush()
    const id = `past-${randomUUID()}`
    const reply = await h.start({
      job_id: id,
      file_name: 'past.nxs',
      start_time: t0,
      stop_time: t0 + 10_000,
      checksum: true,
      metadata: { proposal: 7 },
      nexus_structure: entry(
        group('rare', 'f144', topics.env, 'rare'),
        group('busy', 'f144', topics.env, 'busy', { enable_alarm_info: false }),
        group('events', 'ev44', topics.events, 'det'),
        { module: 'link', config: { name: 'top', source: 'busy/maximum_value' } }
      )
    })
    assert.deepEqual([reply['response'], reply['status'], reply['job_id']], ['ACK', 201, id])
    const end = await h.done(id)
    assert.equal(end['error_encountered'], false, JSON.stringify(end))
    assert.deepEqual(end['metadata'], { proposal: 7 })
    const file = join(h.folder, 'past.nxs')
    assert.equal(end['file_name'], file)
    assert.equal(existsSync(`${file}.part`), false)
    assert.equal(statSync(file).mode & 0o777, 0o444)
    const digest = createHash('sha256').update(readFileSync(file)).digest('hex')
    assert.equal(readFileSync(`${file}.sha256`, 'utf8'), `${digest}  past.nxs\n`)
    const paths = ['rare/value', 'rare/time', 'busy/value', 'events/event_id', 'events/event_index', 'top'].map(
      (p) => `entry/${p}`
    )
    const content = await readNexus(file, paths)
    assert.deepEqual(content['entry/rare/value'], [2])
    assert.deepEqual(
      content['entry/busy/value'],
      Array.from({ length: 12 }, (_, i) => 29 + i)
    )
    assert.deepEqual(content['entry/events/event_id'], Array.from({ length: 11 }, (_, i) => [30 + i, 31 + i]).flat())
    assert.deepEqual(
      content['entry/events/event_index'],
      Array.from({ length: 11 }, (_, i) => 2 * i)
    )
    assert.equal(content['entry/top'], 40)
    const report = reportOf(end)
    assert.deepEqual(report.without_data, [])
    assert.deepEqual(report.streams.map(({ path, module, written }) => [path, module, written]).slice(0, 2), [
      ['/entry/rare', 'f144', 1],
      ['/entry/busy', 'f144', 12]
    ])
  })

  it('writes live data from now until it is stopped, exactly once each', async () => {
    const { live } = await testTopics(['live'])
    h.log(live, 'pv', Date.now() - 60_000, 0.5)
    await h.producer.flush()
    const id = `live-${randomUUID()}`
    const reply = await h.start({
      job_id: id,
      file_name: 'live.nxs',
      nexus_structure: entry(group('pv', 'f144', live, 'pv'))
    })
    assert.equal(reply['response'], 'ACK', JSON.stringify(reply))
    const first = Date.now()
    for (let i = 1; i <= 500; i++) h.log(live, 'pv', first + i, i)
    await h.producer.flush()
    await h.written(id, 501)
    assert.deepEqual(codes(await h.start({ job_id: id, file_name: 'x.nxs', nexus_structure: entry() })), [
      'JOB_EXISTS /'
    ])
    const stopped = await h.control.send({ cmd: 'stop', service: 'filewriter', job_id: id })
    assert.equal(stopped['response'], 'ACK')
    const end = await h.done(id)
    assert.equal(end['error_encountered'], false, JSON.stringify(end))
    const content = await readNexus(join(h.folder, 'live.nxs'), ['entry/pv/value'])
    assert.deepEqual(content['entry/pv/value'], [0.5, ...Array.from({ length: 500 }, (_, i) => i + 1)])
    assert.deepEqual(codes(await h.control.send({ cmd: 'stop', service: 'filewriter', job_id: id })), [
      'JOB_ENDED /job_id'
    ])
    assert.equal(
      h.control.said.filter(({ json }) => json?.['event'] === 'writing_done' && json['job_id'] === id).length,
      1
    )
  })

  it('takes the newest value before the start over all partitions of a topic', async () => {
    const { wide } = await testTopics(['wide'], { partitions: 3 })
    const t0 = Date.now() - 3_600_000
    h.log(wide, 'pv', t0 - 1_000_000, 1, 0)
    h.log(wide, 'pv', t0 - 900_000, 2, 2)
    h.log(wide, 'pv', t0 - 950_000, 3, 1)
    h.log(wide, 'pv', t0 + 1000, 4, 1)
    h.log(wide, 'pv', t0 + 2000, 5, 0)
    await h.producer.flush()
    const id = `wide-${randomUUID()}`
    await h.start({
      job_id: id,
      file_name: 'wide.nxs',
      start_time: t0,
      stop_time: t0 + 5000,
      nexus_structure: entry(group('pv', 'f144', wide, 'pv'))
    })
    await h.done(id)
    const content = await readNexus(join(h.folder, 'wide.nxs'), ['entry/pv/value'])
    const values = content['entry/pv/value'] as number[]
    assert.equal(values[0], 2)
    assert.deepEqual(values.toSorted(), [2, 4, 5])
  })

  it('keeps a start and a stop in the future, and a stop time that is changed', async () => {
    const { later } = await testTopics(['later'])
    const id = `later-${randomUUID()}`
    const startMs = Date.now() + 1500
    const reply = await h.start({
      job_id: id,
      file_name: 'later.nxs',
      start_time: startMs,
      stop_time: startMs + 600_000,
      nexus_structure: entry(group('pv', 'f144', later, 'pv'))
    })
    assert.equal(reply['response'], 'ACK', JSON.stringify(reply))
    for (let i = -5; i <= 20; i++) h.log(later, 'pv', startMs + i * 100, i)
    await h.producer.flush()
    const config = await h.control.send({ cmd: 'config', service: 'filewriter', job_id: id, stop_time: startMs + 1000 })
    assert.equal(config['response'], 'ACK', JSON.stringify(config))
    const end = await h.done(id)
    assert.equal(end['error_encountered'], false, JSON.stringify(end))
    const content = await readNexus(join(h.folder, 'later.nxs'), ['entry/pv/value'])
    assert.deepEqual(
      content['entry/pv/value'],
      Array.from({ length: 12 }, (_, i) => i - 1)
    )
  })

  it('refuses with every finding, and makes nothing', async () => {
    const structure = entry(group('a', 'f999', 't', 's'), {
      module: 'dataset',
      config: { name: 'd', values: [1, 'x'], dtype: 'int32' }
    })
    assert.deepEqual(codes(await h.start({ file_name: 'bad.nxs', nexus_structure: structure })), [
      'WRITER_UNKNOWN /nexus_structure/children/0/children/0/children/0/module',
      'STRUCTURE_INVALID /nexus_structure/children/0/children/1/config/values/1'
    ])
    const none = entry(group('a', 'f144', 'no-such-topic', 's'))
    assert.deepEqual(codes(await h.start({ file_name: 'bad.nxs', nexus_structure: none })), [
      'TOPIC_MISSING /nexus_structure/children/0/children/0/children/0/config/topic'
    ])
    assert.deepEqual(codes(await h.start({ file_name: 'bad.nxs', nexus_structure: '{"children"' })), [
      'STRUCTURE_INVALID /nexus_structure'
    ])
    for (const name of ['../out.nxs', 'a/../../out.nxs', 'no/such/folder.nxs', '.', 'dir/'])
      assert.deepEqual(
        codes(await h.start({ file_name: name, nexus_structure: entry() })),
        ['FILE_PATH /file_name'],
        name
      )
    symlinkSync(tmpdir(), join(h.folder, 'way-out'))
    assert.deepEqual(codes(await h.start({ file_name: 'way-out/x.nxs', nexus_structure: entry() })), [
      'FILE_PATH /file_name'
    ])
    writeFileSync(join(h.folder, 'taken.nxs'), 'precious')
    assert.deepEqual(codes(await h.start({ file_name: 'taken.nxs', nexus_structure: entry() })), [
      'FILE_EXISTS /file_name'
    ])
    assert.equal(readFileSync(join(h.folder, 'taken.nxs'), 'utf8'), 'precious')
    assert.deepEqual(
      codes(await h.start({ file_name: 'x.nxs', nexus_structure: entry(), start_time: 2000, stop_time: 1000 })),
      ['COMMAND_INVALID /stop_time']
    )
    for (const name of ['bad.nxs', 'bad.nxs.part', 'x.nxs.part'])
      assert.equal(existsSync(join(h.folder, name)), false, name)
    assert.equal(
      h.control.said.some(({ json }) => json?.['event'] === 'writing_done' && json['file_name'] === 'bad.nxs'),
      false
    )
  })

  it('writes the good part of a bad structure when asked, below an absolute name, and says what is missing', async () => {
    mkdirSync(join(h.folder, 'sub'))
    const t0 = Date.now() - 1000
    const id = `lenient-${randomUUID()}`
    const reply = await h.start({
      job_id: id,
      file_name: '/sub/lenient.nxs',
      lenient: true,
      start_time: t0,
      stop_time: t0 + 10,
      nexus_structure: entry(
        { ...group('a', 'f999', 't', 's'), attributes: { NX_class: 'NXcollection' } },
        group('gone', 'f144', `none-${randomUUID()}`, 's', { on_missing_topic: 'skip' }),
        {
          module: 'dataset',
          config: { name: 'title', values: 'x' }
        }
      )
    })
    assert.equal(reply['response'], 'ACK', JSON.stringify(reply))
    assert.equal((reply['errors'] as unknown[]).length, 1)
    const why = '/nexus_structure/children/0/children/0/children/0/module no writer module'
    assert.ok(String(reply['message']).includes(`1 warnings: ${why}`), String(reply['message']))
    const end = await h.done(id)
    assert.equal(end['error_encountered'], true)
    assert.deepEqual(reportOf(end).without_data, ['/entry/gone'])
    assert.ok(reportOf(end).notes.some((note) => note.startsWith(`warning: ${why}`)))
    const content = await readNexus(join(h.folder, 'sub/lenient.nxs'), ['entry/title', 'entry/gone/value'])
    assert.deepEqual(content, { 'entry/title': 'x', 'entry/gone/value': [] })
  })

  it('waits for a topic when told to, and reads it from its beginning', async () => {
    const name = `born-${randomUUID()}`
    const id = `wait-${randomUUID()}`
    const reply = await h.start({
      job_id: id,
      file_name: 'wait.nxs',
      nexus_structure: entry(group('pv', 'f144', name, 'pv', { on_missing_topic: 'wait' }))
    })
    assert.equal(reply['response'], 'ACK', JSON.stringify(reply))
    const born = await h.control.kafka.topics([name])
    assert.deepEqual(born[0]?.partitions, [])
    await createTopic(name)
    h.log(name, 'pv', Date.now(), 1)
    await h.producer.flush()
    await h.written(id, 1)
    await h.control.send({ cmd: 'stop', service: 'filewriter', job_id: id })
    const end = await h.done(id)
    assert.equal(end['error_encountered'], false, JSON.stringify(end))
  })

  it('counts bad messages, writes the good ones around them, and does not call it success', async () => {
    const { dirty } = await testTopics(['dirty'])
    const t0 = Date.now() - 60_000
    const good = logF144.encode({ source: 'pv', timestampNs: BigInt(t0 + 1) * 1_000_000n, dtype: 'float64', value: 1 })
    const sent: Uint8Array[] = [
      good,
      Buffer.alloc(3),
      good.slice(0, 20),
      Buffer.concat([good.slice(0, 8), Buffer.alloc(40, 255)])
    ]
    for (const value of sent) h.producer.send({ topic: dirty, value, timestampMs: t0 + 1 })
    h.log(dirty, 'pv', t0 + 2, 2)
    await h.producer.flush()
    const id = `dirty-${randomUUID()}`
    await h.start({
      job_id: id,
      file_name: 'dirty.nxs',
      start_time: t0,
      stop_time: t0 + 10,
      nexus_structure: entry(group('pv', 'f144', dirty, 'pv'))
    })
    const end = await h.done(id)
    assert.equal(end['error_encountered'], true)
    const bad = reportOf(end).topics[0]?.bad ?? {}
    assert.equal(
      Object.values(bad).reduce((sum, n) => sum + n, 0),
      3,
      JSON.stringify(bad)
    )
    const content = await readNexus(join(h.folder, 'dirty.nxs'), ['entry/pv/value', 'entry/nexstream_report/data'])
    assert.deepEqual(content['entry/pv/value'], [1, 2])
    assert.equal((JSON.parse(content['entry/nexstream_report/data'] as string) as JobReport).lost, true)
  })

  it('runs no more jobs than it has places for, and finishes them all when the daemon stops', async () => {
    const ids = [1, 2, 3].map((i) => `slot-${i}-${randomUUID()}`)
    for (const id of ids)
      assert.equal((await h.start({ job_id: id, file_name: `${id}.nxs`, nexus_structure: entry() }))['response'], 'ACK')
    assert.deepEqual(codes(await h.start({ file_name: 'fourth.nxs', nexus_structure: entry() })), ['JOB_LIMIT /'])
    assert.deepEqual(codes(await h.control.send({ cmd: 'stop', service: 'filewriter' })), ['JOB_UNKNOWN /job_id'])
    const status = await h.control.send({ cmd: 'status', service: 'filewriter' })
    assert.equal((status['result'] as { jobs: unknown[] }).jobs.length, 3)
    await h.stopDaemon()
    for (const id of ids) {
      // Nobody asked for this end, so it is no success
      assert.equal((await h.done(id))['error_encountered'], true)
      assert.ok(existsSync(join(h.folder, `${id}.nxs`)))
    }
  })
})
