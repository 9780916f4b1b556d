// What a job says of its file: complete, complete with warnings, lost; and what clients of the field make of it.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { logF144 } from '../../plugins/converter-logs/codec.js'
import { encodeMessage } from '../../schemas/index.js'
import { kafka, testTopics } from '../support/kafka.js'
import { readNexus } from '../support/nexus.js'
import { codes, entry, group, Harness, type Json, reportOf } from './harness.js'
import { Nicos } from './nicos.js'

/** As file-writer-control and NICOS read the end of a job: ERROR and FAILED when it says so, else DONE. */
function stateForClients(wrdn: Json): 'DONE' | 'ERROR' {
  // Both parse it without looking
  JSON.parse(wrdn['metadata'] as string)
  return wrdn['error_encountered'] === true ? 'ERROR' : 'DONE'
}

describe('what a write job says of its file', function () {
  this.timeout(120_000)
  let h: Harness
  let nicos: Nicos
  before(async () => {
    h = await Harness.start({}, ({ commands }) => ({
      'commands.listen': JSON.stringify([{ topic: commands, dialects: ['ess', 'filewriter-2018', 'json'] }])
    }))
    nicos = await Nicos.open((await kafka()).brokers, h.topics.commands, [h.topics.control, h.topics.status])
  })
  after(async () => {
    await nicos?.close()
    await h?.close()
  })

  const t0 = Date.now() - 60_000
  const window = { start_time: t0, stop_time: t0 + 10 }
  const good = logF144.encode({ source: 'pv', timestampNs: BigInt(t0 + 1) * 1_000_000n, dtype: 'float64', value: 1 })
  const raw = (topic: string, value: Uint8Array | null): void =>
    void h.producer.send({ topic, value: value, timestampMs: t0 + 1 })
  /** What programs send by mistake: none of it belongs to a stream of anybody. */
  const junk = (topic: string): void => {
    raw(topic, null)
    raw(topic, Buffer.alloc(3))
    raw(topic, Buffer.from('\0\0\0\0zz99 something else', 'latin1'))
    raw(topic, Buffer.from('{"cmd": "status"}'))
    raw(topic, logF144.encode({ source: 'pv', timestampNs: 0n, dtype: 'float64', value: 5 }))
    raw(topic, encodeMessage('f144', { source_name: 'other', timestamp: 0, value: { type: 'Double', value: { value: 1 } } })) // prettier-ignore
  }
  const text = (source: string): Buffer =>
    Buffer.from(
      encodeMessage('f142', {
        source_name: source,
        timestamp: BigInt(t0 + 2) * 1_000_000n,
        value: { type: 'String', value: { value: 'open' } }
      })
    )
  const run = async (command: Json): Promise<Json> => {
    const id = (command['job_id'] as string | undefined) ?? randomUUID()
    const reply = await h.start({ job_id: id, file_name: `${id}.nxs`, ...window, ...command })
    assert.equal(reply['response'], 'ACK', JSON.stringify(reply))
    return h.done(id)
  }

  /** A job of the window that NICOS starts, to its end. */
  const byNicos = async (structure: object): Promise<{ id: string; end: Json }> => {
    const id = randomUUID()
    await nicos.start({
      job_id: id,
      filename: `${id}.nxs`,
      ...window,
      nexus_structure: JSON.stringify(structure),
      control_topic: h.topics.control
    })
    return { id, end: await nicos.end(h.topics.control, id) }
  }

  it('is complete with warnings where a topic has junk and damaged messages of others, also for NICOS and file-writer-control', async () => {
    const { shared } = await testTopics(['shared'])
    junk(shared)
    raw(shared, good)
    raw(shared, Buffer.concat([good.slice(0, 8), Buffer.alloc(40, 255)]))
    h.log(shared, 'somebody else', t0 + 1, 9)
    h.log(shared, 'pv', t0 + 2, 2)
    await h.producer.flush()
    const { id, end } = await byNicos(entry(group('pv', 'f144', shared, 'pv')))
    assert.equal(stateForClients(end), 'DONE', JSON.stringify(end))
    assert.match(end['message'] as string, /^complete with warnings: 2 messages of 1 stream written; warnings: /)
    const report = (JSON.parse(end['metadata'] as string) as Json)['nexstream_report'] as Json
    const { no_value: tombstones, too_small: small, time_zero: zero = 0, bad_timestamp: bad = 0, invalid_flatbuffer: damaged } = report['warnings'] as Record<string, number> // prettier-ignore
    assert.deepEqual([tombstones, small, zero + bad, damaged], [1, 1, 2, 1], JSON.stringify(report['warnings']))
    assert.deepEqual([report['verdict'], report['lost'], report['losses']], ['warnings', false, {}])
    const content = await readNexus(join(h.folder, `${id}.nxs`), ['entry/pv/value', 'entry/nexstream_report/data'])
    assert.deepEqual(content['entry/pv/value'], [1, 2])
    assert.equal((JSON.parse(content['entry/nexstream_report/data'] as string) as Json)['verdict'], 'warnings')
  })

  it('is lost where a message of its own stream is not in the file', async () => {
    const { shared } = await testTopics(['shared'])
    junk(shared)
    raw(shared, good)
    raw(shared, text('pv'))
    raw(shared, text('somebody else'))
    await h.producer.flush()
    const { end } = await byNicos(entry(group('pv', 'NXlog', shared, 'pv')))
    assert.equal(stateForClients(end), 'ERROR', JSON.stringify(end))
    assert.match(end['message'] as string, /^data lost: 1 message of 1 stream written; lost: 1 text_for_number \(/)
  })

  it('is complete without a word where nothing was met, and takes damaged messages from before the window as none of its own', async () => {
    const { log } = await testTopics(['log'])
    const early = logF144.encode({ source: 'pv', timestampNs: BigInt(t0 - 500) * 1_000_000n, dtype: 'float64', value: 1 }) // prettier-ignore
    // a type of value that there is not
    early[40] = 99
    h.producer.send({ topic: log, value: early, timestampMs: t0 - 500 })
    h.log(log, 'pv', t0 - 100, 3)
    h.log(log, 'pv', t0 + 1, 4)
    await h.producer.flush()
    const end = await run({ nexus_structure: entry(group('pv', 'f144', log, 'pv')) })
    assert.equal(end['message'], 'complete: 2 messages of 1 stream written')
    assert.deepEqual([end['verdict'], end['error_encountered']], ['complete', false])
  })

  it('takes warnings as errors when told to', async () => {
    const { shared } = await testTopics(['shared'])
    raw(shared, Buffer.alloc(3))
    raw(shared, good)
    await h.producer.flush()
    const structure = { nexus_structure: entry(group('pv', 'f144', shared, 'pv')) }
    const strict = await run({ ...structure, fail_on: 'any' })
    assert.deepEqual([strict['verdict'], strict['error_encountered']], ['warnings', true])
    const usual = await run(structure)
    assert.deepEqual([usual['verdict'], usual['error_encountered']], ['warnings', false])
  })

  it('is lost where a lenient start left a stream out, not where it left out what is static', async () => {
    const { log } = await testTopics(['log'])
    raw(log, good)
    await h.producer.flush()
    const pv = group('pv', 'f144', log, 'pv')
    const none = `none-${randomUUID()}`
    const still = await run({
      lenient: true,
      nexus_structure: entry(pv, { module: 'dataset', config: { name: 'a/b', values: 1 } })
    })
    assert.deepEqual([still['verdict'], still['error_encountered']], ['complete', false], JSON.stringify(still))
    assert.match(reportOf(still).notes.join(), /warning: \/nexus_structure\S+\/name .*separates groups/)
    const out = await run({ lenient: true, nexus_structure: entry(pv, group('x', 'f999', log, 'pv2')) })
    assert.deepEqual([out['verdict'], out['error_encountered']], ['lost', true])
    const path = '/nexus_structure/children/0/children/1/children/0'
    assert.ok(String(out['message']).includes(`1 stream left out: f999 of source 'pv2', topic '${log}' (${path})`), String(out['message'])) // prettier-ignore
    const skipped = await run({
      on_missing_topic: 'skip',
      nexus_structure: entry(pv, group('y', 'f144', none, 'pv3'))
    })
    assert.equal(skipped['error_encountered'], true)
    assert.ok(String(skipped['message']).includes(`topic '${none}' does not exist: nothing of 'pv3'`))
  })

  it('is lost where a topic that was left out as empty has got messages since', async () => {
    const { empty, filled } = await testTopics(['empty', 'filled'])
    const id = `empty-${randomUUID()}`
    const streams = [empty, filled].map((topic, i) =>
      group(`pv${i}`, 'f144', topic, `pv${i}`, { on_empty_topic: 'skip' })
    )
    const log = await testTopics(['log'])
    const reply = await h.start({
      job_id: id,
      file_name: `${id}.nxs`,
      nexus_structure: entry(...streams, group('log', 'f144', log['log'] ?? '', 'pv'))
    })
    assert.equal(reply['response'], 'ACK', JSON.stringify(reply))
    h.log(filled, 'pv1', Date.now(), 1)
    await h.producer.flush()
    await h.control.send({ cmd: 'stop', service: 'filewriter', job_id: id })
    const end = await h.done(id)
    assert.equal(end['verdict'], 'lost', JSON.stringify(end))
    const { problems, notes } = reportOf(end)
    assert.match(problems.join('\n'), /^topic 'filled-\w+' held no messages .*: nothing of 'pv1'$/)
    assert.match(notes.join('\n'), /^topic 'empty-\w+' held no messages at the start .* holds none now$/m)
  })

  it('does not take a refused start for a job: what ended under that name stays', async () => {
    const id = `twice-${randomUUID()}`
    await run({ job_id: id, nexus_structure: entry() })
    const again = await h.start({ job_id: id, file_name: `${id}.nxs`, ...window, nexus_structure: entry() })
    assert.deepEqual(codes(again), ['FILE_EXISTS /file_name'])
    const reply = await h.control.send({ cmd: 'jobs' })
    const mine = (reply['result'] as Json[]).filter((job) => job['job_id'] === id)
    assert.deepEqual(
      mine.map(({ state, verdict }) => [state, verdict]),
      [['done', 'complete']]
    )
  })
})
