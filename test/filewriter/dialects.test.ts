// One topic, three dialects: the JSON commands of 2018 with their events and status, and what is hostile in any of them.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { encodeMessage } from '../../schemas/index.js'
import { testTopics } from '../support/kafka.js'
import { readNexus } from '../support/nexus.js'
import { entry, Harness, type Json } from './harness.js'

describe('file writer by the JSON of 2018', function () {
  this.timeout(180_000)
  let h: Harness
  let asked: Promise<string>
  before(async () => {
    let ask: (reason: string) => void = () => undefined
    asked = new Promise((resolve) => (ask = resolve))
    h = await Harness.start(
      { max_jobs: 3 },
      ({ commands }) => ({
        reporters: JSON.stringify({ json: {}, 'filewriter-2018': { interval_ms: 200 } }),
        'commands.listen': JSON.stringify([{ topic: commands, dialects: ['ess', 'filewriter-2018', 'json'] }])
      }),
      (reason) => ask(reason)
    )
  })
  after(async () => h?.close())

  const send = (command: Json): Promise<void> => h.control.sendRaw(JSON.stringify(command))
  const event = (job: string, code: string): Promise<Json> =>
    h.control.json(
      (json) => json['type'] === 'filewriter_event' && json['job_id'] === job && json['code'] === code,
      `${code} of ${job}`,
      60_000
    )
  const start = (job: string, structure: unknown, more: Json = {}): Promise<void> =>
    send({ cmd: 'FileWriter_new', job_id: job, broker: 'b:9092', file_attributes: { file_name: `${job}.nxs` }, nexus_structure: structure, use_hdf_swmr: true, teamid: 0, ...more }) // prettier-ignore
  const codesOf = (job: string): unknown[] =>
    h.control.said.flatMap(({ json }) => (json?.['type'] === 'filewriter_event' && json['job_id'] === job ? [json['code']] : [])) // prettier-ignore

  it('runs several jobs at once, stops one, then all, and tells each with START and CLOSE', async () => {
    const { data } = await testTopics(['data'])
    const t0 = Date.now() - 60_000
    for (let i = 0; i < 10; i++) h.log(data, 'pv', t0 + i * 1000, i)
    await h.producer.flush()
    // The grammar of that time; a stream of a missing topic is dropped and the rest written
    const stream = (topic: string) => ({ type: 'stream', stream: { topic, source: 'pv', writer_module: 'f144' } })
    const old = entry(
      { type: 'group', name: 'pv', children: [stream(data)] },
      { type: 'group', name: 'none', children: [stream(`none-${randomUUID()}`)] },
      { type: 'dataset', name: 'title', values: 'old', dataset: { type: 'string' } }
    )
    const [a, b, c] = ['a', 'b', 'c'].map((name) => `${name}-${randomUUID()}`) as [string, string, string]
    await start(a, old, { start_time: t0, stop_time: 0 })
    await start(b, entry())
    await start(c, entry())
    for (const job of [a, b, c]) await event(job, 'START')
    // A second start of one job is ignored
    await start(a, entry())
    const status = await h.control.json(
      (json) => json['type'] === 'filewriter_status_master' && Object.keys(json['files'] as object).length === 3,
      'the status of three files'
    )
    assert.equal((status['files'] as Json)[b] === undefined, false)
    await h.control.json((json) => json['type'] === 'stream_master_status' && json['job_id'] === a, 'the status of a')
    await h.written(a, 10)
    await send({ cmd: 'FileWriter_stop', job_id: a, stop_time: t0 + 600_000, teamid: 7 })
    await send({ cmd: 'filewriter_STOP', job_id: a, service_id: 'somebody-else' })
    await send({ cmd: 'FileWriter_stop', job_id: a })
    await event(a, 'CLOSE')
    assert.deepEqual(codesOf(a), ['START', 'ERROR', 'CLOSE'], 'a stream was dropped')
    const content = await readNexus(join(h.folder, `${a}.nxs`), ['entry/pv/value', 'entry/title'])
    assert.deepEqual(content, { 'entry/pv/value': [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 'entry/title': 'old' })
    await send({ cmd: 'file_writer_tasks_clear_all', recv_type: 'FileWriter' })
    for (const job of [b, c]) await event(job, 'CLOSE')
    assert.deepEqual(
      [codesOf(b), codesOf(c)],
      [
        ['START', 'CLOSE'],
        ['START', 'CLOSE']
      ]
    )
  })

  it('lives through hostile commands of every dialect, refuses them and makes no file', async () => {
    const before = readdirSync(h.folder).length
    const deep = `{"cmd":"start","service":"filewriter","file_name":"x","nexus_structure":${'{"children":['.repeat(50_000)}`
    const job = (fields: object): string => JSON.stringify({ cmd: 'start', service: 'filewriter', file_name: 'x.nxs', nexus_structure: entry(), ...fields }) // prettier-ignore
    const pl72 = encodeMessage('pl72', { job_id: randomUUID(), filename: 'x.nxs', nexus_structure: '{"children":[]}', start_time: 0, stop_time: 0 }) // prettier-ignore
    const hostile: (string | Uint8Array)[] = [
      deep,
      '[1, 2',
      '"text"',
      job({ file_name: '../../etc/x.nxs' }),
      job({ file_name: 'a\0b.nxs' }),
      job({ start_time: 1e300 }),
      job({ start_time: -1 }),
      job({ stop_time: '99999-01-01T00:00:00Z' }),
      job({ nexus_structure: entry({ type: 'group', name: 'a/b' }) }),
      job({ nexus_structure: entry({ type: 'group', name: '..' }) }),
      job({ nexus_structure: JSON.stringify(entry()).replace('{', '{"__proto__":{"polluted":1},') }),
      `{"cmd":"start","service":"filewriter","file_name":"x","__proto__":{"nexus_structure":{}},"constructor":1}`,
      `{"cmd":"__proto__"}`,
      `{"cmd":"constructor","service":"__proto__"}`,
      job({ control_topic: '../topic' }),
      job({ job_id: 'x'.repeat(100_000) }),
      JSON.stringify({
        cmd: 'FileWriter_new',
        job_id: 'h',
        file_attributes: { file_name: ['x'] },
        nexus_structure: {}
      }),
      JSON.stringify({
        cmd: 'FileWriter_new',
        job_id: 'h',
        file_attributes: { file_name: '/../x' },
        nexus_structure: 5
      }),
      pl72.slice(0, 40),
      Buffer.concat([pl72.slice(0, 8), Buffer.alloc(200, 255)])
    ]
    for (const value of hostile) await h.control.sendRaw(value)
    const alive = await h.control.send({ cmd: 'status', service: 'filewriter' })
    assert.equal(alive['response'], 'ACK', JSON.stringify(alive))
    assert.deepEqual((alive['result'] as Json)['jobs'], [])
    assert.equal(readdirSync(h.folder).length, before)
    assert.equal(({} as Json)['polluted'], undefined)
    const refused = h.control.said.filter(
      ({ json, id }) => json?.['response'] === 'ERR' || json?.['code'] === 'FAIL' || id === 'answ'
    )
    assert.ok(refused.length >= hostile.length, `${refused.length} of ${hostile.length} were answered`)
    assert.ok(!existsSync(join(h.folder, '..', 'x.nxs')))
  })

  it('ends the daemon on FileWriter_exit', async () => {
    await send({ cmd: 'FileWriter_exit' })
    assert.equal(await asked, 'command exit')
  })
})
