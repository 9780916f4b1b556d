// Who may what on a broker with ACLs: with the rights of docs/security.md all works; what is missing is named, in the job's answer, too.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:tls'
import { once } from 'node:events'
import { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { provision } from '../support/administration.js'
import { connectKafka } from '../../core/kafka/client.js'
import { loadKafkajs } from '../../plugins/tools-topics/admin/kafkajs-admin.js'
import { type Daemon, loadConfig, startDaemon } from '../../core/main.js'
import { encodeMessage } from '../../schemas/index.js'
import { Control } from '../support/control.js'
import { type RunningKafka, startKafka, testTopics } from '../support/kafka.js'

const user = { username: 'nx', password: 'pass word 1' }
const principals = ['User:nx', 'User:CN=localhost']
const authorizer = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  // Tests come in by the listeners without a name
  'super.users': 'User:ANONYMOUS'
}
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, logLevel, ResourcePatternTypes } =
  await loadKafkajs()
const openssl = (...args: readonly string[]) => promisify(execFile)('openssl', args)
/** Of the message: recent enough to be kept, and over. */
const atMs = Date.now() - 30_000

type Topics = Record<'commands' | 'status' | 'data' | 'closed' | 'secret', string>
type Right = 'READ' | 'WRITE' | 'DESCRIBE'

describe('Kafka: a broker with ACLs', function () {
  this.timeout(240_000)
  let running: RunningKafka
  let topics: Topics
  let folder: string
  let doors: Record<string, Record<string, unknown>>
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nexstream-rights-'))
    running = await startKafka({ own: true, sasl: user, tls: true, properties: authorizer })
    topics = await testTopics(['commands', 'status', 'data', 'closed', 'secret'], { brokers: running.brokers })
    for (const [topic, right] of [['commands', 'READ'], ['status', 'WRITE'], ['data', 'READ']] as const) await grant(topics[topic], right) // prettier-ignore
    await grant(topics.closed, 'DESCRIBE')
    const ssl = { ca_file: running.certificate }
    const sasl = (mechanism: string) => ({ brokers: running.listener('sasl_ssl'), ssl, sasl: { mechanism, username: user.username, password_file: passwordFile() } }) // prettier-ignore
    doors = {
      PLAIN: sasl('plain'),
      'SCRAM-SHA-256': sasl('scram-sha-256'),
      'SCRAM-SHA-512': sasl('scram-sha-512'),
      'a certificate': { brokers: running.listener('ssl'), ssl: { ...ssl, cert_file: running.certificate, key_file: running.key } } // prettier-ignore
    }
  })
  after(async () => {
    await running?.stop()
    rmSync(folder, { recursive: true })
  })

  function passwordFile(): string {
    const file = join(folder, 'password')
    writeFileSync(file, `${user.password}\n`)
    return file
  }

  async function grant(name: string, right: Right, type = AclResourceTypes.TOPIC): Promise<void> {
    const admin = new Kafka({ brokers: running.brokers, logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    const acl = principals.map((principal) => ({
      ...{ resourceType: type, resourceName: name, resourcePatternType: ResourcePatternTypes.LITERAL },
      ...{ principal, host: '*', operation: AclOperationTypes[right], permissionType: AclPermissionTypes.ALLOW }
    }))
    await admin.createAcls({ acl })
    await admin.disconnect()
  }

  /** A daemon that writes files, and what it logged. */
  async function daemon(
    kafka: Record<string, unknown>,
    changed: Partial<Topics> = {},
    more: Record<string, string> = {}
  ) {
    const { commands, status } = { ...topics, ...changed }
    const logged: string[] = []
    const write = process.stderr.write.bind(process.stderr)
    process.stderr.write = (text: string | Uint8Array) => (logged.push(String(text)), true)
    const restore = (): void => void (process.stderr.write = write)
    const flags = {
      kafka: JSON.stringify({ timeout_ms: 20_000, ...kafka }),
      'commands.topic': commands,
      'status.topic': status,
      'status.interval': '1s',
      'log.level': 'debug',
      services: JSON.stringify({ filewriter: { folder, fsync: 'never' } }),
      ...more
    }
    const loaded = loadConfig({ flags })
    assert.deepEqual(loaded.findings, [])
    try {
      return { daemon: await startDaemon(loaded, () => undefined), logged, restore }
    } catch (error) {
      restore()
      throw error
    }
  }

  const startOf = (topic: string, name: string) => ({
    cmd: 'start',
    service: 'filewriter',
    job_id: name,
    file_name: `${name}.nxs`,
    start_time: atMs,
    stop_time: atMs + 1000,
    nexus_structure: { children: [{ type: 'group', name: 'entry', children: [{ module: 'f144', config: { topic, source: 's' } }] }] } // prettier-ignore
  })

  for (const how of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'a certificate'])
    it(`lets a daemon with ${how} hear a command, write the file and say so; a topic that it may not see is named in the answer`, async () => {
      const control = await Control.open(running.brokers, topics.commands, [topics.status])
      const one: { daemon: Daemon; logged: string[]; restore: () => void } = await daemon(doors[how] ?? {})
      try {
        const name = how.replaceAll(' ', '-')
        const timestamp = BigInt(atMs) * 1_000_000n
        control.producer.send({ topic: topics.data, timestampMs: atMs, value: encodeMessage('f144', { source_name: 's', timestamp, value: { type: 'Double', value: { value: 1 } } }) }) // prettier-ignore
        await control.producer.flush()
        const answer = await control.send(startOf(topics.data, name))
        assert.equal(answer['response'], 'ACK', JSON.stringify(answer))
        const end = await control.json(
          (json) => json['event'] === 'writing_done' && json['job_id'] === name,
          `the end of ${name}`
        )
        assert.equal(end['error_encountered'], false, JSON.stringify(end))
        const refused = await control.send(startOf(topics.secret, `${name}-secret`))
        assert.equal(refused['response'], 'ERR')
        assert.match(JSON.stringify(refused), new RegExp(`${topics.secret}: TOPIC_AUTHORIZATION_FAILED; .* needs DESCRIBE on topic`)) // prettier-ignore
      } finally {
        await one.daemon.stop('test over')
        one.restore()
        await control.close()
      }
      assert.ok(one.logged.length > 5)
      for (const secret of [
        user.password,
        Buffer.from(user.password).toString('base64'),
        ...readFileSync(running.key, 'utf8').split('\n').slice(1, 3)
      ])
        // prettier-ignore
        assert.ok(!one.logged.some((line) => line.includes(secret)), 'a secret in the log')
    })

  it('names topic, group and right where one is missing', async () => {
    const options = doors['SCRAM-SHA-512']!
    const client = connectKafka({ timeout_ms: 20_000, ...options })
    const says = (name: string, right: string) => ({ code: 'KAFKA_AUTH', message: new RegExp(`${name}.*AUTHORIZATION_FAILED; the user of this connection needs ${right}`) }) // prettier-ignore
    const reader = client.reader({ assign: [{ topic: topics.closed, partition: 0, offset: 0 }] })
    await assert.rejects(reader.next(), says(topics.closed, `READ on topic ${topics.closed}`))
    const producer = client.producer()
    const lost = await new Promise<Error | null>((done) => producer.send({ topic: topics.closed, value: 'x' }, done))
    assert.match(String(lost), says(topics.closed, `WRITE on topic ${topics.closed}`).message)
    await producer.close().catch(() => undefined)
    await assert.rejects(provision(options, [{ name: 'new-topic' }]), { code: 'KAFKA_AUTH', message: /new-topic.*(CREATE|DESCRIBE) on/ }) // prettier-ignore
    await grant('seen-topic', 'DESCRIBE')
    await assert.rejects(provision(options, [{ name: 'seen-topic' }]), { code: 'KAFKA_AUTH', message: /seen-topic.*AUTHORIZATION_FAILED.*needs CREATE/ }) // prettier-ignore
    await client.close()
    // A daemon that may not write its status or hear its commands does not start
    await assert.rejects(
      daemon(options, { commands: topics.secret }),
      says(topics.secret, `DESCRIBE on topic ${topics.secret}`)
    )
  })

  it('tells a start on a topic that it may see and not read, before anybody waits for the file', async () => {
    const control = await Control.open(running.brokers, topics.commands, [topics.status])
    const one = await daemon(doors['SCRAM-SHA-512']!)
    const refusal = `topic ${topics.closed}: TOPIC_AUTHORIZATION_FAILED; the user of this connection needs READ on topic ${topics.closed} ` // prettier-ignore
    try {
      const live = { ...startOf(topics.closed, 'live'), start_time: Date.now(), stop_time: Date.now() + 3_600_000 }
      for (const command of [startOf(topics.closed, 'past'), live]) {
        const answer = await control.send(command, 120_000)
        assert.equal(answer['response'], 'ERR', JSON.stringify(answer))
        assert.match(JSON.stringify(answer['errors']), /"code":"KAFKA_AUTH"/)
        assert.ok(String(answer['message']).includes(refusal), JSON.stringify(answer))
      }
    } finally {
      await one.daemon.stop('test over')
      one.restore()
      await control.close()
    }
  })

  it('does not start where it may not write its status, or not take work from its pool: right and name are told', async () => {
    const options = doors['SCRAM-SHA-512']!
    const refuses = async (started: Promise<{ daemon: Daemon; restore: () => void }>, text: string): Promise<void> => {
      // One that starts all the same is stopped
      const error = await started.then(async (one) => (one.restore(), await one.daemon.stop('started')), (e: unknown) => e) // prettier-ignore
      assert.match(String(error), new RegExp(`AUTHORIZATION_FAILED; the user of this connection needs ${text} `))
      assert.equal((error as { code?: string }).code, 'KAFKA_AUTH')
    }
    await refuses(daemon(options, { status: topics.closed }), `WRITE on topic ${topics.closed}`)
    const listen = JSON.stringify([{ topic: topics.commands, group: 'no-right' }])
    await refuses(daemon(options, {}, { 'commands.listen': listen }), 'READ on group no-right')
  })

  it('refuses certificates that are not good, in words that name the trouble', async () => {
    const at = (name: string): string => join(folder, name)
    const made = async (name: string, days: number, ca = running.certificate, key = running.key): Promise<void> => {
      await openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', at(`${name}.key`), '-out', at('csr'), '-subj', `/CN=${name}`) // prettier-ignore
      await openssl('x509', '-req', '-in', at('csr'), '-CA', ca, '-CAkey', key, '-set_serial', '7', '-days', String(days), '-out', at(`${name}.pem`)) // prettier-ignore
    }
    await openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', at('other.key'), '-out', at('other.pem'), '-subj', '/CN=other') // prettier-ignore
    await made('old', -1)
    await made('stranger', 3, at('other.pem'), at('other.key'))
    const brokers = running.listener('ssl')
    const refused = async (options: Record<string, unknown>, message: RegExp): Promise<void> => {
      const client = connectKafka({ timeout_ms: 20_000, ...options })
      await assert.rejects(client.topics([topics.data]), { code: 'KAFKA_AUTH', message })
      await assert.rejects(provision(options, [{ name: topics.data }]), { code: 'KAFKA_AUTH', message })
      await client.close()
    }
    const ssl = { ca_file: running.certificate }
    await refused({ brokers, ssl: { ca_file: at('other.pem') } }, /certificate of 127\.0\.0\.1:\d+ is not trusted.*ssl\.ca_file/) // prettier-ignore
    await refused({ brokers, ssl: { ...ssl, servername: 'x.example' } }, /x\.example.*ssl\.servername/)
    for (const name of ['old', 'stranger'])
      await refused({ brokers, ssl: { ...ssl, cert_file: at(`${name}.pem`), key_file: at(`${name}.key`) } }, /refused our certificate: .*; see ssl\.cert_file/) // prettier-ignore
    // Kafka does not start with a certificate that is over: the same bytes from a server of our own
    const server = createServer({ cert: readFileSync(at('old.pem')), key: readFileSync(at('old.key')) }).listen(0, '127.0.0.1') // prettier-ignore
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await refused(
      { brokers: [`127.0.0.1:${port}`], ssl: { ...ssl, servername: 'old' } },
      /has expired.*renewed on the broker/
    )
    server.close()
  })
})
