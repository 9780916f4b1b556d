// A job goes from daemon to daemon: one is told to end and hands over, the next one is killed, the third attempt finishes it.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { logF144 } from '../../plugins/converter-logs/codec.js'
import { type Child, start } from '../cli/child.js'
import { Control } from '../support/control.js'
import { kafka, testTopics } from '../support/kafka.js'
import { readNexus } from '../support/nexus.js'
import { entry, group, type Json, reportOf } from './harness.js'

describe('a job that goes from daemon to daemon', function () {
  this.timeout(400_000)
  let brokers: readonly string[]
  let folder: string
  let control: Control
  let topics: Readonly<
    Record<'pool' | 'commands' | 'status' | 'journal' | 'control' | 'unheard' | 'one' | 'two', string>
  >
  const daemons = new Map<string, Child>()

  before(async () => {
    ;({ brokers } = await kafka())
    topics = await testTopics(['pool', 'commands', 'status', 'journal', 'control', 'unheard', 'one', 'two'])
    folder = mkdtempSync(join(tmpdir(), 'nexstream-hand-over-'))
    control = await Control.open(brokers, topics.pool, [topics.status, topics.control])
  })
  after(async () => {
    for (const daemon of daemons.values()) await daemon.close()
    await control?.close()
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  async function run(name: string): Promise<void> {
    const { pool, commands, status, journal } = topics
    const writer = { folder, max_jobs: 1, threads_per_job: 2, late_data_ms: 200, checkpoint_ms: 200, journal_topic: journal, journal_lease_ms: 2500, on_shutdown: 'hand_over' } // prettier-ignore
    const config = {
      daemon: { service_id: name },
      kafka: { brokers },
      commands: { listen: [{ topic: pool, group: `group-${pool}` }, { topic: commands }] },
      status: { topic: status, interval: '500ms' },
      services: { filewriter: writer }
    }
    const file = join(folder, `${name}.json`)
    writeFileSync(file, JSON.stringify(config))
    const daemon = start(['run', file])
    daemons.set(name, daemon)
    await daemon.says(/is up as/)
  }

  /** One value for each of the two topics, and so for each thread. */
  async function log(value: number): Promise<void> {
    for (const topic of [topics.one, topics.two]) {
      const timestampNs = BigInt(Date.now()) * 1_000_000n
      control.producer.send({ topic, value: logF144.encode({ source: 'pv', timestampNs, dtype: 'float64', value }) })
    }
    await control.producer.flush()
  }

  const attemptOf = (json: Json): number =>
    ((json['result'] as Json | undefined)?.['attempt'] as number | undefined) ?? 1
  /** The answer of whoever took the job for an attempt beyond `after`. */
  const taken = (id: string, after: number): Promise<Json> =>
    control.json(
      (json) => json['type'] === 'nexstream_reply' && json['job_id'] === id && json['response'] === 'ACK' && String(json['message']).startsWith('writing') && attemptOf(json) > after,
      `attempt ${after + 1} of ${id}`,
      120_000
    ) // prettier-ignore
  const ends = (id: string): readonly Json[] =>
    control.said.flatMap(({ json }) => (json?.['event'] === 'writing_done' && json['job_id'] === id ? [json] : []))

  it('is finished by the last of them, with everything from history, over all its threads', async () => {
    await run('a')
    await run('b')
    // Refused while the daemon is still about to listen to the control topic: that must not end it
    for (let i = 0; i < 6; i++) {
      const bad = { job_id: `bad-${i}`, file_name: 'bad.nxs', nexus_structure: {}, control_topic: topics.commands }
      const structure = i % 2 === 0 ? entry(group('x', 'f999', 't', 's')) : '{'
      await control.send({ cmd: 'start', service: 'filewriter', ...bad, nexus_structure: structure })
    }
    const id = randomUUID()
    await control.sendRaw(
      JSON.stringify({
        cmd: 'start',
        service: 'filewriter',
        job_id: id,
        file_name: 'moved.nxs',
        start_time: Date.now() - 1,
        nexus_structure: entry(group('one', 'f144', topics.one, 'pv'), group('two', 'f144', topics.two, 'pv'))
      })
    )
    const first = (await taken(id, 0))['service_id'] as string
    await log(1)
    // Told to end: hands over and says nothing of an end
    daemons.get(first)?.kill('SIGTERM')
    const { code, signal } = (await daemons.get(first)?.ended) ?? {}
    assert.ok(code === 0 || code === 143 || signal === 'SIGTERM', `ended with ${code} ${signal}`)
    assert.deepEqual(ends(id), [])
    const second = await taken(id, 1)
    assert.notEqual(second['service_id'], first)
    assert.match(String(second['message']), /attempt 2/)
    await log(2)
    // The one that took it is killed; the first one comes back and resumes
    await run(first)
    daemons.get(second['service_id'] as string)?.kill('SIGKILL')
    await daemons.get(second['service_id'] as string)?.ended
    await log(3)
    const third = await taken(id, attemptOf(second))
    assert.equal(third['service_id'], first)
    await log(4)
    control.producer.send({ topic: topics.commands, value: JSON.stringify({ cmd: 'stop', service: 'filewriter', job_id: id }) }) // prettier-ignore
    const end = await control.json(
      (json) => json['event'] === 'writing_done' && json['job_id'] === id,
      'the end',
      120_000
    )
    assert.equal(end['error_encountered'], false, JSON.stringify(end))
    const { attempt, notes } = reportOf(end)
    assert.equal(attempt, 3)
    assert.match(notes.join('\n'), new RegExp(`run again from history: attempt 3, as ${String(second['service_id'])} was lost`)) // prettier-ignore
    assert.equal(ends(id).length, 1)
    const file = join(folder, 'moved.nxs')
    assert.equal(end['file_name'], file)
    const paths = ['entry/one/value', 'entry/two/value']
    const content = await readNexus(file, [...paths, ...paths.map((path) => `${path.replace('/value', '')}#link`)])
    for (const path of paths) assert.deepEqual(content[path], [1, 2, 3, 4], path)
    const links = ['one', 'two'].map((name) => (content[`entry/${name}#link`] as string[])[0])
    assert.deepEqual(links.toSorted(), ['external', 'hard'], 'two threads')
    // What the lost attempts left stays under the names of unfinished files, each attempt its own
    for (const name of ['moved.nxs.part', 'moved_1.nxs.part', 'moved.nxs.2.part', 'moved_1.nxs.2.part'])
      assert.ok(
        existsSync(join(folder, name)) && notes.some((note) => note.endsWith(`left ${join(folder, name)}`)),
        name
      )
  })

  it('hears a stop that was said to a daemon that lived on for a while and never came to hear it', async () => {
    await run('after')
    const [id, nowMs] = [randomUUID(), Date.now()]
    const { unheard, control: said, status, journal, one } = topics
    const structure = entry(group('one', 'f144', one, 'pv'))
    const command = { cmd: 'start', service: 'filewriter', job_id: id, file_name: 'heard.nxs', start_time: nowMs }
    const started = { ...command, control_topic: said, nexus_structure: structure }
    const stopped = { cmd: 'stop', service: 'filewriter', job_id: id, stop_time: nowMs + 1 }
    const place = { dialect: 'json', topic: unheard, partition: 0, offset: 0, replyTopic: status, timestampMs: nowMs }
    const claim = { type: 'claim', instance: randomUUID(), service_id: 'before', run: `${unheard}/0/0`, job_id: id, attempt: 1, place, nonce: '' } // prettier-ignore
    const { producer } = control
    producer.send({ topic: unheard, value: JSON.stringify(started), timestampMs: nowMs })
    producer.send({ topic: said, value: JSON.stringify(stopped), timestampMs: nowMs })
    // Its last word comes a minute after the stop
    producer.send({ topic: journal, key: claim.run, value: JSON.stringify(claim), timestampMs: nowMs + 60_000 })
    await producer.flush()
    const end = await control.json((json) => json['event'] === 'writing_done' && json['job_id'] === id, 'the end', 120_000) // prettier-ignore
    assert.equal(reportOf(end).attempt, 2)
  })
})
