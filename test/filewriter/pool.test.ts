// Three daemons in one pool on a cluster of three brokers: exactly one takes a job, a busy one holds nobody up, and the job
// of a daemon that is killed is written by another from history, marked as such.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Producer } from '../../core/api/plugin.js'
import { logF144 } from '../../plugins/converter-logs/codec.js'
import { type Child, start } from '../cli/child.js'
import { type RunningKafka, startKafka, testTopics } from '../support/kafka.js'
import { readNexus } from '../support/nexus.js'
import { entry, group, type Json } from './harness.js'
import { Nicos } from './nicos.js'

describe('pool of file writers on a cluster', function () {
  this.timeout(400_000)
  let cluster: RunningKafka
  let folder: string
  let nicos: Nicos
  let producer: Producer
  let topics: Readonly<Record<'pool' | 'control' | 'status' | 'commands' | 'journal' | 'data', string>>
  const daemons = new Map<string, Child>()

  before(async () => {
    cluster = await startKafka({ own: true, brokers: 3 })
    const { brokers } = cluster
    const config = { 'min.insync.replicas': '2' }
    topics = await testTopics(['pool', 'control', 'status', 'commands', 'journal', 'data'], {
      brokers,
      replication: 3,
      config
    })
    folder = mkdtempSync(join(tmpdir(), 'nexstream-pool-'))
    nicos = await Nicos.open(brokers, topics.pool, [topics.control, topics.status])
    producer = nicos.control.kafka.producer({ lingerMs: 0 })
    await Promise.all(['one', 'two', 'three'].map((name) => run(name)))
  })
  after(async () => {
    for (const daemon of daemons.values()) await daemon.close()
    await producer?.close()
    await nicos?.close()
    await cluster?.stop()
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  /** Starts a daemon and waits until it is in the pool. */
  async function run(name: string): Promise<void> {
    const file = join(folder, `${name}.json`)
    const { pool, commands, status, journal } = topics
    const writer = {
      folder,
      max_jobs: 1,
      late_data_ms: 500,
      checkpoint_ms: 300,
      journal_topic: journal,
      journal_lease_ms: 4000
    }
    const config = {
      daemon: { service_id: name },
      kafka: { brokers: cluster.brokers },
      commands: { listen: [{ topic: pool, dialects: ['ess'], group: 'writers' }, { topic: commands, dialects: ['ess'] }] },
      status: { topic: status },
      reporters: { json: false, x5f2: { interval_ms: 1000 } },
      services: { filewriter: writer }
    } // prettier-ignore
    writeFileSync(file, JSON.stringify(config))
    const daemon = start(['run', file])
    daemons.set(name, daemon)
    await daemon.says(/is up as/)
  }

  async function log(value: number): Promise<void> {
    const timestampNs = BigInt(Date.now()) * 1_000_000n
    producer.send({ topic: topics.data, value: logF144.encode({ source: 'pv', timestampNs, dtype: 'float64', value }) })
    await producer.flush()
  }

  async function begin(name: string): Promise<string> {
    const id = randomUUID()
    await nicos.start({
      job_id: id,
      filename: `${name}.nxs`,
      start_time: Date.now() - 1,
      nexus_structure: JSON.stringify(entry(group('pv', 'f144', topics.data, 'pv'))),
      control_topic: topics.control,
      metadata: JSON.stringify({ name })
    })
    return id
  }

  const answer = (id: string, fits: (fields: Json) => boolean = () => true): Promise<Json> =>
    nicos.wait('answ', topics.control, (x) => x['command_id'] === id && fits(x), 120_000)
  const stop = (id: string, stopMs: number): Promise<void> =>
    nicos.stop(topics.control, { job_id: id, command_id: randomUUID(), stop_time: stopMs })
  const values = async (name: string): Promise<unknown> =>
    (await readNexus(join(folder, `${name}.nxs`), ['entry/pv/value']))['entry/pv/value']
  const report = (end: Json): Json => (JSON.parse(end['metadata'] as string) as Json)['nexstream_report'] as Json
  const ends = async (): Promise<unknown[]> =>
    (await nicos.heard(topics.control)).filter(({ id }) => id === 'wrdn').map(({ fields }) => fields['job_id'])

  it('gives each job to one daemon, lets a fourth wait, and has a killed daemon’s job written by another', async () => {
    const [a, b, c] = [await begin('a'), await begin('b'), await begin('c')]
    const owners = await Promise.all([a, b, c].map(async (id) => (await answer(id))['service_id'] as string))
    assert.deepEqual(owners.toSorted(), ['one', 'three', 'two'])
    await log(1)
    const d = await begin('d')
    await stop(a, Date.now())
    assert.equal((await nicos.end(topics.control, a))['error_encountered'], false)
    // The place that became free is taken by the job that waited
    assert.equal((await answer(d))['service_id'], owners[0])
    await log(2)

    const [, killed = ''] = owners
    daemons.get(killed)?.kill('SIGKILL')
    await daemons.get(killed)?.ended
    await log(3)
    // Said while nobody runs the job
    const stopMs = Date.now() + 1
    await stop(b, stopMs)
    await stop(c, Date.now())
    await nicos.end(topics.control, c)
    const again = await answer(b, (x) => x['service_id'] !== killed)
    assert.equal(again['service_id'], owners[2])
    assert.match(again['message'] as string, /attempt 2/)
    const end = await nicos.end(topics.control, b, 120_000)
    assert.deepEqual([end['error_encountered'], end['service_id']], [false, owners[2]], JSON.stringify(end))
    const { attempt, notes } = report(end)
    assert.equal(attempt, 2)
    assert.match(String(notes), new RegExp(`run again from history: attempt 2, as ${killed} was lost`))
    assert.equal((JSON.parse(end['metadata'] as string) as Json)['name'], 'b')
    // From history: also what came before the kill and while nobody wrote
    assert.deepEqual(await values('b'), [1, 2, 3])

    await run(killed)
    await stop(d, Date.now())
    await nicos.end(topics.control, d)
    assert.deepEqual(await values('d'), [1, 2, 3])
    assert.deepEqual((await ends()).toSorted(), [a, b, c, d].toSorted(), 'exactly one end per job')
  })

  it('resumes the job of a daemon that comes back alone, and goes on when a broker dies', async () => {
    const id = await begin('resumed')
    const owner = (await answer(id))['service_id'] as string
    for (const [name, daemon] of daemons) daemon.kill(name === owner ? 'SIGKILL' : 'SIGTERM')
    for (const daemon of daemons.values()) await daemon.ended
    await log(10)
    await cluster.kill9(2)
    await run(owner)
    assert.match((await answer(id, (x) => String(x['message']).includes('attempt')))['message'] as string, /attempt 2/)
    await log(11)
    await stop(id, Date.now())
    const end = await nicos.end(topics.control, id, 120_000)
    assert.equal(end['error_encountered'], false, JSON.stringify(end))
    assert.deepEqual(((await values('resumed')) as number[]).slice(-2), [10, 11])
  })
})
