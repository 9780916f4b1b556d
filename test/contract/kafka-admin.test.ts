import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { kafkaSettings } from '../../core/kafka/options.js'
import { KafkajsAdmin } from '../../plugins/tools-topics/admin/kafkajs-admin.js'
import { type WantedTopic } from '../../plugins/tools-topics/admin/topics.js'
import { listTopics, provision } from '../support/administration.js'
import { kafka } from '../support/kafka.js'

describe('Kafka: topics made and changed', function () {
  this.timeout(120_000)
  let brokers: string[]
  const made: string[] = []
  before(async () => {
    brokers = (await kafka()).brokers
  })
  const admin = (): KafkajsAdmin => new KafkajsAdmin(kafkaSettings({ brokers }))
  after(async () => {
    const client = admin()
    if (made.length > 0) await client.ask('cleaning up', (kafkajs) => kafkajs.deleteTopics({ topics: made }))
    await client.close()
  })
  function named(): string {
    const name = `admin-${randomBytes(4).toString('hex')}`
    made.push(name)
    return name
  }
  const settingsOf = async (name: string): Promise<Record<string, string>> => {
    const client = admin()
    const { resources } = await client.ask('looking', (kafkajs) =>
      kafkajs.describeConfigs({ resources: [{ type: 2, name }], includeSynonyms: false })
    )
    await client.close()
    return Object.fromEntries(resources[0]!.configEntries.map((entry) => [entry.configName, entry.configValue]))
  }

  it('come with their settings, change in what is asked for, and keep the rest', async () => {
    const name = named()
    const go = async (topic: Omit<WantedTopic, 'name'>, dryRun = false): Promise<unknown> => {
      const [{ action, changes } = { action: '', changes: [] }] = await provision({ brokers }, [{ name, ...topic }], {
        dryRun
      })
      return [action, ...changes]
    }
    const first = { partitions: 2, config: { 'retention.ms': 3_600_000, 'max.message.bytes': '2000000' } }
    const words = ['created', 'partitions 2', 'replication as by default', 'retention.ms = 3600000', 'max.message.bytes = 2000000'] // prettier-ignore
    assert.deepEqual(await go(first, true), words)
    assert.deepEqual(await go(first), words)
    assert.deepEqual(await go(first), ['unchanged'])
    const second = { partitions: 3, config: { 'retention.ms': 7_200_000 } }
    const changed = ['changed', 'partitions 2 → 3', 'retention.ms 3600000 → 7200000']
    assert.deepEqual(await go(second, true), changed)
    assert.deepEqual(await go(second), changed)
    const settings = await settingsOf(name)
    assert.deepEqual([settings['retention.ms'], settings['max.message.bytes']], ['7200000', '2000000'])
    const listed = (await listTopics({ brokers })).find((topic) => topic.name === name)
    assert.deepEqual(listed, { name, replication: 1, partitions: [0, 1, 2].map((partition) => ({ partition, earliest: 0, latest: 0 })) }) // prettier-ignore
    await assert.rejects(go({ partitions: 1 }), { code: 'TOPIC_SHRINK', message: new RegExp(`${name} has 3 partitions, not 1`) }) // prettier-ignore
  })

  it('are named with what was asked for where the broker refuses', async () => {
    const refused = (topic: WantedTopic, message: RegExp): Promise<void> =>
      assert.rejects(provision({ brokers }, [topic]), { code: 'COMMAND_FAILED', message })
    const name = `admin-${randomBytes(4).toString('hex')}`
    await refused({ name, replication: 9 }, new RegExp(`creating ${name} .*replication 9.*INVALID_REPLICATION_FACTOR`))
    await refused({ name, config: { 'retention.ms': 'soon' } }, new RegExp(`creating ${name} .*retention\\.ms = soon\\): INVALID_CONFIG`)) // prettier-ignore
    await refused({ name: 'no/topic' }, /no\/topic.*INVALID_TOPIC_EXCEPTION/)
    const there = named()
    await provision({ brokers }, [{ name: there }])
    await refused({ name: there, config: { 'retention.ms': 'soon' } }, new RegExp(`config of ${there}: INVALID_CONFIG: .*soon`)) // prettier-ignore
  })

  it('are made through a broker with an IPv6 address, and over one that is down', async function () {
    const [host, port] = brokers[0]!.split(':') as [string, string]
    const server = net.createServer((client) => {
      const upstream = net.connect(Number(port), host)
      client.pipe(upstream).pipe(client)
      for (const socket of [client, upstream])
        socket.on('error', () => [client, upstream].map((each) => each.destroy()))
    })
    const listening = await Promise.race([once(server.listen(0, '::1'), 'listening'), once(server, 'error')])
    if (listening.length > 0) return this.skip() // A machine without IPv6
    const front = `[::1]:${(server.address() as AddressInfo).port}`
    let connections = 0
    server.on('connection', () => connections++)
    const client = new KafkajsAdmin(kafkaSettings({ brokers: ['127.0.0.1:1', front] }))
    assert.equal((await client.ask('looking', (kafkajs) => kafkajs.describeCluster())).brokers.length > 0, true)
    assert.ok(connections > 0)
    await client.close()
    const [result] = await provision({ brokers: [front, '127.0.0.1:1'] }, [{ name: named() }])
    assert.equal(result?.action, 'created')
    server.close()
  })

  it('say which broker is away or refuses', async () => {
    const away = { brokers: ['127.0.0.1:1'], timeout_ms: 300 }
    const told = { code: 'KAFKA_UNREACHABLE', message: /topics: 127\.0\.0\.1:1: .*ECONNREFUSED/ }
    await assert.rejects(provision(away, [{ name: 'x' }]), told)
    const client = new KafkajsAdmin(kafkaSettings(away))
    const lost = client.ask('looking', (kafkajs) => kafkajs.listTopics())
    await assert.rejects(lost, { code: 'KAFKA_UNREACHABLE', message: /^looking: 127\.0\.0\.1:1: .*ECONNREFUSED/ })
    await client.close()
  })

  it('cost a daemon that makes none nothing, and say nothing beside', () => {
    const run = (code: string): string => {
      const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' })
      assert.equal(stderr, '')
      return stdout
    }
    const at = (name: string): string => JSON.stringify(new URL(`../../${name}`, import.meta.url).href)
    const count = `console.log(Object.keys(createRequire(import.meta.url).cache ?? {}).filter((name) => /kafkajs/.test(name)).length)`
    const start = `import { createRequire } from 'node:module'; await import(${at('core/main.js')}); const admin = await import(${at('test/support/administration.js')});`
    assert.equal(run(`${start} ${count}`), '0\n')
    const use = `await admin.provision(${JSON.stringify({ brokers })}, [${JSON.stringify({ name: named() })}]);`
    assert.ok(Number(run(`${start} ${use} ${count}`)) > 10)
  })
})
