// Pool, control and journal topics change under running file writers: no command and no claim is lost. And a daemon that is told
// to end while it joins its pool again ends, and holds nothing.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { groupReader } from '../support/group.js'
import { connectKafka } from '../../core/kafka/client.js'
import { KafkajsAdmin } from '../../plugins/tools-topics/admin/kafkajs-admin.js'
import { kafkaSettings } from '../../core/kafka/options.js'
import { type Child, start } from '../cli/child.js'
import { Control } from '../support/control.js'
import { kafka, testTopics } from '../support/kafka.js'
import { random } from '../support/random.js'
import { remakeTopic, widenTopic } from '../support/topics.js'
import { entry, group, type Json } from './harness.js'

describe('file writers whose topics change', function () {
  this.timeout(300_000)
  let brokers: readonly string[]
  let folder: string
  let control: Control
  let topics: Readonly<Record<'pool' | 'commands' | 'status' | 'control' | 'journal' | 'data', string>>
  const daemons = new Map<string, Child>()

  beforeEach(async () => {
    ;({ brokers } = await kafka())
    topics = await testTopics(['pool', 'commands', 'status', 'control', 'journal', 'data'])
    folder = mkdtempSync(join(tmpdir(), 'nexstream-topics-'))
    control = await Control.open(brokers, topics.pool, [topics.status])
  })
  afterEach(async () => {
    for (const daemon of daemons.values()) await daemon.close()
    daemons.clear()
    await control?.close()
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  async function run(name: string, writer: object = {}): Promise<Child> {
    const { pool, commands, status } = topics
    const config = {
      daemon: { service_id: name },
      kafka: { brokers },
      commands: { listen: [{ topic: pool, group: `group-${pool}` }, { topic: commands }] },
      status: { topic: status, interval: '500ms' },
      services: { filewriter: { folder, late_data_ms: 200, checkpoint_ms: 200, ...writer } }
    }
    const file = join(folder, `${name}.json`)
    writeFileSync(file, JSON.stringify(config))
    const daemon = start(['run', file])
    daemons.set(name, daemon)
    await daemon.says(/is up as/)
    return daemon
  }

  const isWriting = (json: Json, id: string): boolean =>
    ((json['jobs'] ?? []) as Json[]).some((job) => job['job_id'] === id && job['state'] === 'running')

  /** Tells the pool to start a job. */
  function post(partition: number, more: Json): string {
    const id = randomUUID()
    const nexus_structure = entry(group('pv', 'f144', topics.data, 'pv'))
    const command = {
      cmd: 'start',
      service: 'filewriter',
      job_id: id,
      file_name: `${id}.nxs`,
      nexus_structure,
      ...more
    }
    control.producer.send({ topic: topics.pool, partition, value: JSON.stringify(command) })
    return id
  }
  /** Starts a job over the pool; resolves when some daemon has taken it. */
  async function begin(partition = 0, more: Json = {}): Promise<{ readonly id: string; readonly by: string }> {
    const id = post(partition, more)
    const answer = await control.json(
      (json) => json['job_id'] === id && json['response'] === 'ACK',
      `job ${id}`,
      60_000
    )
    return { id, by: String(answer['service_id']) }
  }
  function stop(topic: string, id: string, partition = 0): void {
    const value = JSON.stringify({ cmd: 'stop', service: 'filewriter', job_id: id })
    control.producer.send({ topic, partition, value })
  }
  const end = (id: string): Promise<Json> =>
    control.json((json) => json['event'] === 'writing_done' && json['job_id'] === id, `the end of ${id}`, 90_000)

  it('take jobs of partitions that are added to the pool, and from the first one of a pool topic that is made again', async () => {
    for (const name of ['a', 'b']) await run(name)
    await begin()
    await widenTopic(topics.pool, 3)
    for (const partition of [2, 1, 0]) await begin(partition)
    await remakeTopic(topics.pool, 2)
    for (const partition of [1, 0]) await begin(partition)
    const answers = control.said.filter(({ json }) => json?.['type'] === 'nexstream_reply')
    assert.equal(new Set(answers.map(({ json }) => json?.['job_id'])).size, 6)
    assert.equal(answers.length, 6, 'each answered once')
  })

  it('hear the control topic of a job when it is made again and when it is widened', async () => {
    await run('a')
    const more = { control_topic: topics.control }
    const ids = [post(0, more), post(0, more)]
    for (const id of ids) await control.json((json) => isWriting(json, id), `job ${id}`, 60_000)
    await remakeTopic(topics.control)
    stop(topics.control, ids[0]!)
    await ended(topics.control, ids.slice(0, 1))
    await widenTopic(topics.control, 2)
    stop(topics.control, ids[1]!, 1)
    await ended(topics.control, ids)
  })

  /** Resolves when a topic tells the end of these jobs, once each. */
  async function ended(topic: string, ids: readonly string[]): Promise<void> {
    const reader = control.kafka.reader({ assign: [{ topic, partition: 0, offset: 0 }] })
    const found: string[] = []
    while (found.length < ids.length) {
      const batch = await reader.next()
      for (let i = 0; i < (batch?.count ?? 0); i++) {
        const text = String(batch?.value(i))
        if (!text.startsWith('{')) continue // Heartbeats
        const { event, job_id: id } = JSON.parse(text) as { event?: string; job_id: string }
        if (event === 'writing_done') found.push(id)
      }
      batch?.release()
    }
    await reader.close()
    assert.deepEqual(found.toSorted(), ids.toSorted())
  }

  it('write their claims anew into a journal that is made again, so that the job of one that is killed goes on', async () => {
    const writer = { max_jobs: 2, journal_topic: topics.journal, journal_lease_ms: 2500 }
    for (const name of ['a', 'b']) await run(name, writer)
    const { id, by } = await begin(0, { start_time: Date.now() - 1 })
    await remakeTopic(topics.journal)
    // What the owner says in the new one
    const reader = control.kafka.reader({ assign: [{ topic: topics.journal, partition: 0, offset: 0 }] })
    const batch = await reader.next()
    assert.match(String(batch?.value(0)), new RegExp(`"job_id":"${id}"`))
    batch?.release()
    await reader.close()
    daemons.get(by)?.kill('SIGKILL')
    await daemons.get(by)?.ended
    const again = await control.json((json) => json['job_id'] === id && json['response'] === 'ACK' && json['service_id'] !== by, 'attempt 2', 120_000) // prettier-ignore
    assert.match(String(again['message']), /attempt 2/)
    stop(topics.commands, id)
    assert.equal((await end(id))['job_id'], id)
  })

  it('end with 0 and hold nothing when they are told to while they join their pool again', async () => {
    const admin = new KafkajsAdmin(kafkaSettings({ brokers: [...brokers] }))
    const client = connectKafka({ brokers: [...brokers] })
    const groupId = `group-${topics.pool}`
    const membersLeft = async (): Promise<number> => {
      const { groups } = await admin.ask('looking', (kafkajs) => kafkajs.describeGroups([groupId]))
      return groups[0]!.members.length
    }
    const delay = random(7)
    try {
      for (let round = 0; round < 6; round++) {
        const daemon = await run(`r${round}`, { max_jobs: 1 })
        const { id } = await begin() // Its only place is taken: it leaves the pool
        let got: (text: string) => void = () => undefined
        const heard = new Promise<string>((resolve) => (got = resolve))
        // With it in the group, the daemon's next join takes until this one has heard of it
        const other = await groupReader(client, { groupId, topic: topics.pool }, ({ value }) => {
          got(value.toString())
          return Promise.resolve('done')
        })
        stop(topics.commands, id)
        await end(id) // And joins again
        await sleep(delay(250))
        daemon.kill('SIGTERM')
        const { code, stderr } = await daemon.ended
        assert.equal(code, 0, stderr)
        assert.equal(await membersLeft(), 1, `round ${round}: the other one`)
        control.producer.send({ topic: topics.pool, partition: 0, value: `round ${round}` })
        assert.equal(await heard, `round ${round}`)
        await other.close()
      }
    } finally {
      await admin.close()
      await client.close()
    }
  })
})
