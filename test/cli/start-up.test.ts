// How the daemon comes up and goes: what it says when it cannot start, what signals do, what is left of a file.
import { randomBytes } from 'node:crypto'
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type KafkaClient, connectKafka } from '../../core/kafka/client.js'
import { Control } from '../support/control.js'
import { kafka, testTopics } from '../support/kafka.js'
import { readNexus } from '../support/nexus.js'
import { freePorts } from '../../plugins/tools-dev/fetched/ports.js'
import { entry, group } from '../filewriter/harness.js'
import { logF144 } from '../../plugins/converter-logs/codec.js'
import { type Child, nexstream, start } from './child.js'

describe('nexstream run', function () {
  this.timeout(180_000)
  let folder: string
  let brokers: string
  const children: Child[] = []
  const run = (...args: string[]): Child => {
    const child = start(['run', ...args], { cwd: folder })
    children.push(child)
    return child
  }

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nexstream-run-'))
    brokers = (await kafka()).brokers.join(',')
  })
  after(async () => {
    await Promise.all(children.map((child) => child.close()))
    rmSync(folder, { recursive: true, force: true })
  })

  it('of a broker (`nexstream kafka`) tells at once of a port that is not free', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { code, stderr } = await nexstream(['kafka', '--port', String(port)])
    server.close()
    assert.equal(code, 2)
    assert.match(stderr, new RegExp(`^CLI_USAGE: port ${port} is not free .*EADDRINUSE.*--port`))
  })

  it('of a broker with --data keeps topics and messages for the next time, and says why it ends', async () => {
    const [port] = await freePorts(1)
    const [data, temporary] = [join(folder, 'kafka-data'), join(folder, 'temporary')]
    mkdirSync(temporary)
    const broker = async (): Promise<{ child: Child; client: KafkaClient }> => {
      const env = { NEXSTREAM_KAFKA: 'jars', TMPDIR: temporary }
      const child = start(['kafka', '--port', String(port), '--data', data], { env })
      children.push(child)
      await child.says(/^127\.0\.0\.1:\d+$/m, 'stdout')
      assert.match(child.stderr, new RegExp(`Ctrl-C ends it, and its data stay in ${data}`))
      return { child, client: connectKafka({ brokers: [`127.0.0.1:${port}`] }) }
    }
    const end = async ({ child, client }: Awaited<ReturnType<typeof broker>>): Promise<void> => {
      await client.close()
      child.kill('SIGINT')
      assert.equal((await child.ended).code, 0, child.stderr)
    }
    const first = await broker()
    const { kept } = await testTopics(['kept'], { brokers: [`127.0.0.1:${port}`] })
    const producer = first.client.producer()
    producer.send({ topic: kept, value: 'still here' })
    await producer.close()
    await end(first)
    const second = await broker()
    const reader = second.client.reader({ assign: [{ topic: kept, partition: 0, offset: 0 }] })
    const batch = await reader.next()
    assert.equal(String(batch?.value(0)), 'still here')
    batch?.release()
    await reader.close()
    await second.client.close()
    const [own = ''] = readdirSync(temporary).filter((name) => name.startsWith('nexstream-kafka-'))
    process.kill(Number(readFileSync(join(temporary, own, 'node-1.pid'), 'utf8')), 'SIGKILL')
    const { code, stderr } = await second.child.ended
    assert.match(stderr, /^COMMAND_FAILED: Kafka ended \(code null, SIGKILL\)/m)
    assert.deepEqual([code, existsSync(join(temporary, own))], [1, false])
  })

  it('without a config says what it needs', async () => {
    const { code, stderr } = await nexstream(['run'])
    assert.equal(code, 2)
    assert.match(
      stderr,
      /^CLI_USAGE: no config; 'nexstream init' writes one; give a file, \$NEXSTREAM_CONFIG, or --brokers/
    )
  })

  it('with a broken config names file, path and what was meant', async () => {
    const file = join(folder, 'broken.toml')
    writeFileSync(file, '[status]\nintervall = "1s"\n[log]\nlevel = "loud"\n')
    const { code, stderr } = await nexstream(['run', file])
    assert.equal(code, 2)
    assert.match(stderr, /^CONFIG_INVALID: .*broken\.toml: \/status\/intervall: unknown key; did you mean 'interval'\?/)
    assert.match(stderr, /\/log\/level: must be one of "error", "warn", "info", "debug"/)
    assert.equal(stderr.trim().split('\n').length, 1)
    const absent = await nexstream(['run', join(folder, 'absent.toml')])
    assert.equal(absent.code, 2)
    assert.match(absent.stderr, /^CONFIG_FILE: config file .*absent\.toml cannot be read/)
  })

  it('without a broker that answers says so and gives up with 3', async () => {
    const { code, stderr } = await nexstream(['run', '-b', '127.0.0.1:1', '--set', 'kafka.timeout_ms=500', '--set', 'status.topic=s']) // prettier-ignore
    assert.equal(code, 3)
    assert.match(stderr, /^KAFKA_UNREACHABLE: .*127\.0\.0\.1:1: connect ECONNREFUSED/m)
    assert.match(stderr, /^hint: is the address right and the broker up\?/m)
  })

  it('ends at a signal while it still tries to reach a broker', async () => {
    const child = run('-b', '127.0.0.1:1', '--set', 'kafka.timeout_ms=120000', '--set', 'status.topic=s', '--set', 'log.level=debug') // prettier-ignore
    await child.says(/connects to Kafka \(brokers=\["127\.0\.0\.1:1"\]\)/)
    child.kill('SIGTERM')
    const { code, stderr } = await child.ended
    assert.equal(code, 0)
    assert.match(stderr, /stopping: SIGTERM/)
  })

  it('names the topics that are missing, their place in the config, and the remedy', async () => {
    const { status } = await testTopics(['status'])
    const set = (topic: string): string[] => ['run', '-b', brokers, '--set', `status.topic=${topic}`]
    const noStatus = await nexstream(set('no-such-status'))
    assert.equal(noStatus.code, 1)
    assert.match(noStatus.stderr, /^TOPIC_MISSING: status topic no-such-status does not exist; create it with 'nexstream provision' at \/status\/topic$/m) // prettier-ignore
    const noCommands = await nexstream([...set(status), '--set', 'commands.topic=no-such-commands'])
    assert.equal(noCommands.code, 1)
    assert.match(noCommands.stderr, /^TOPIC_MISSING: topic no-such-commands does not exist; .*provision' at \/commands\/topic$/m) // prettier-ignore
  })

  it('comes up after provision alone, without a table of topics', async () => {
    const name = (what: string): string => `${what}-${randomBytes(4).toString('hex')}`
    const [commands, pool, replies, status] = ['commands', 'pool', 'replies', 'status'].map(name) as [string, string, string, string] // prettier-ignore
    const listen = JSON.stringify([{ topic: pool, dialects: ['ess'], reply_topic: replies }])
    const set = ['-b', brokers, '--set', `commands.topic=${commands}`, '--set', `commands.listen=${listen}`, '--set', `status.topic=${status}`] // prettier-ignore
    const made = await nexstream(['provision', '--json', ...set])
    assert.equal(made.code, 0, made.stderr)
    const rows = made.stdout.trim().split('\n').map((line) => JSON.parse(line) as { name: string; action: string }) // prettier-ignore
    assert.deepEqual(rows.map(({ name, action }) => `${name} ${action}`).sort(), [commands, pool, replies, status].map((one) => `${one} created`).sort()) // prettier-ignore
    const child = run(...set)
    await child.says(/ is up as /)
    child.kill('SIGTERM')
    assert.equal((await child.ended).code, 0)
  })

  for (const [signal, second, code] of [
    ['SIGTERM', 'SIGTERM', 143],
    ['SIGINT', 'SIGINT', 130]
  ] as const)
    // prettier-ignore
    it(`finishes at the first ${signal}, and ends at once at the second`, async () => {
      writeFileSync(join(folder, 'slow.mjs'), slowPlugin)
      const child = run('-b', brokers, '--set', 'plugins=[{"use": "./slow.mjs"}]', '--set', 'services.slow={}')
      await child.says(/is up as/)
      child.kill(signal)
      await child.says(/the slow service is stopping/)
      child.kill(second)
      const ended = await child.ended
      assert.equal(ended.code, code, ended.stderr)
    })

  it('leaves with 1 when stopping takes longer than the config allows', async () => {
    writeFileSync(join(folder, 'slow.mjs'), slowPlugin)
    const child = run('-b', brokers, '--set', 'plugins=[{"use": "./slow.mjs"}]', '--set', 'services.slow={}', '--set', 'daemon.shutdown_timeout=100ms') // prettier-ignore
    await child.says(/is up as/)
    child.kill('SIGTERM')
    const { code, stderr } = await child.ended
    assert.equal(code, 1)
    assert.match(
      stderr,
      /WARN {2}stopped; on the way: plugin slow: service slow: stop: it did not finish within 0\.07 s/
    )
  })

  it('completes its files at a signal, says so, and ends with 0', async () => {
    const topics = await testTopics(['commands', 'status', 'data'])
    const control = await Control.open(brokers.split(','), topics.commands, [topics.status])
    const producer = control.kafka.producer({ lingerMs: 0 })
    try {
      const child = run('-b', brokers, '--set', `commands.topic=${topics.commands}`, '--set', `status.topic=${topics.status}`, '--set', 'status.interval=200ms', '--set', `services.filewriter={"folder": ${JSON.stringify(folder)}, "progress_ms": 100, "late_data_ms": 200}`) // prettier-ignore
      await child.says(/is up as/)
      const answer = await control.send({
        cmd: 'start',
        service: 'filewriter',
        job_id: 'cut-short',
        file_name: 'cut-short.nxs',
        nexus_structure: entry(group('log', 'f144', topics.data, 'pv'))
      })
      assert.equal(answer['response'], 'ACK', JSON.stringify(answer))
      const startMs = Date.parse(String((answer as { time: string }).time))
      for (let i = 0; i < 10; i++) {
        const timestampNs = BigInt(startMs + i) * 1_000_000n
        producer.send({ topic: topics.data, value: logF144.encode({ source: 'pv', timestampNs, dtype: 'float64', value: i }) }) // prettier-ignore
      }
      await producer.flush()
      await control.json((json) => ((json['jobs'] ?? []) as { written?: number }[]).some(({ written }) => written === 10), 'ten values in the file') // prettier-ignore
      assert.ok(!existsSync(join(folder, 'cut-short.nxs')), 'the file has its name before it is complete')
      child.kill('SIGTERM')
      const { code, stderr } = await child.ended
      assert.equal(code, 0, stderr)
      assert.match(
        stderr,
        /INFO {2}stopping: SIGTERM[\s\S]* job cut-short: .*cut-short\.nxs: data lost: 10 messages [\s\S]*WARN {2}stopped; on the way: job cut-short: .*\n$/
      )
      const done = await control.json((json) => json['event'] === 'writing_done', 'the end of the job')
      assert.equal(done['job_id'], 'cut-short')
      assert.match(String(done['message']), /the daemon stops: SIGTERM/)
      const content = await readNexus(join(folder, 'cut-short.nxs'), ['/entry/log/value'])
      assert.deepEqual(content['/entry/log/value'], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
      assert.deepEqual(
        readdirSync(folder).filter((name) => name.startsWith('cut-short')),
        ['cut-short.nxs']
      )
    } finally {
      await producer.close()
      await control.close()
    }
  })

  it('says at the end of an idle life only that it came and went', async () => {
    const topics = await testTopics(['commands', 'status'])
    const child = run('-b', brokers, '--set', `commands.topic=${topics.commands}`, '--set', `status.topic=${topics.status}`, '--set', 'services.filewriter={}') // prettier-ignore
    await child.says(/is up as/)
    child.kill('SIGINT')
    const { code, stdout, stderr } = await child.ended
    assert.deepEqual([code, stdout], [0, ''])
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => line.replace(/^\S+ (\S+) +/, '$1 '))
    assert.deepEqual(
      lines.map((line) => line.replace(/nexstream \d\S*/, 'nexstream').replace(/ (as|\(brokers=).*/, '')),
      ['INFO nexstream connects to Kafka', 'INFO service filewriter started', 'INFO nexstream is up', 'INFO stopping: SIGINT', 'INFO stopped'] // prettier-ignore
    )
  })
})

/** A plugin whose service never stops. */
const slowPlugin = `export default {
  name: 'slow', version: '1', api: 2, summary: 'Never stops.',
  apply(registry) {
    registry.service({
      id: 'slow', summary: 'Never stops.', config: { type: 'object' },
      open: (options, { log }) => ({
        snapshot: () => ({ state: 'idle' }), start: async () => {},
        stop: () => { log('info', 'the slow service is stopping'); return new Promise(() => {}) }
      })
    })
  }
}`
