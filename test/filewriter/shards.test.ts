// One job over several threads: parts by topic, one master file that leads to all of it.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { testTopics } from '../support/kafka.js'
import { runPython } from '../support/python.js'
import { codes, entry, group, Harness, reportOf } from './harness.js'

const read = `
import sys, h5py
f = h5py.File(sys.argv[1])
print([list(map(int, f[p][:])) for p in ('entry/one/event_id', 'entry/two/event_id', 'alias/event_id', 'entry/logs/value')],
      f['entry'].get('two', getlink=True).__class__.__name__, f['entry'].get('one', getlink=True).__class__.__name__,
      f['entry/two'].attrs['NX_class'])
`

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
    const numbers = (n: number, f: (i: number) => number) => Array.from({ length: n }, (_, i) => f(i)).join(', ')
    const one = numbers(40, (i) => (i >> 1) + (i & 1))
    const two = numbers(20, (i) => 100 + i)
    const expected = `[[${one}], [${two}], [${two}], [${numbers(20, (i) => i)}]] ExternalLink ExternalLink NXevent_data`
    const text = (await runPython(read, [file])).trim()
    // which of the three stays in the master is the splitter's business
    assert.equal(text.replace(/(Hard|External)Link/g, 'ExternalLink'), expected)
    assert.ok(text.includes('ExternalLink'))
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
