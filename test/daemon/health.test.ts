// Probes of a real daemon: ready, Kafka away and back, a part that cannot work; over HTTP and by `nexstream health`.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { API } from '../../core/api/plugin.js'
import { type Daemon, loadConfig, startDaemon } from '../../core/main.js'
import { type Ended, nexstream } from '../cli/child.js'
import { until } from '../support/forwarder/live.js'
import { freePorts } from '../../plugins/tools-dev/fetched/ports.js'
import { kafka, type RunningKafka, startKafka, testTopics } from '../support/kafka.js'
import { type KafkaProxy, kafkaProxy } from '../support/kafka-proxy.js'

describe('health of a daemon', function () {
  this.timeout(120_000)
  let own: RunningKafka | undefined
  let proxy: KafkaProxy
  let folder: string
  let config: string
  let url: string
  let daemon: Daemon | undefined

  const probe = async (path: string): Promise<string> => {
    const answer = await fetch(`${url}${path}`)
    return `${answer.status} ${(await answer.text()).trim()}`
  }
  const health = (...args: string[]): Promise<Ended> => nexstream(['health', '--timeout', '30s', ...args])

  before(async () => {
    const shared = await kafka()
    if (shared.way === 'brokers') own = await startKafka({ own: true })
    const { brokers } = own ?? shared
    proxy = await kafkaProxy(brokers[0] ?? '')
    const { commands, status } = await testTopics(['commands', 'status'], { brokers })
    folder = mkdtempSync(join(tmpdir(), 'nexstream-health-'))
    const fuse = `let out = false
      export default { name: 'fuse', version: '1.0.0', api: ${API}, summary: 'test', apply: (registry) => registry.service({
        id: 'fuse', summary: 'test', config: { type: 'object' },
        commands: [{ cmd: 'blow', summary: 'test', schema: { type: 'object' }, examples: [],
          run: () => ((out = true), { response: 'ACK', status: 200, message: 'out' }) }],
        open: () => ({ async start() {}, async stop() {}, snapshot: () => ({ state: 'lit', ...(out && { not_ready: ['the fuse is out'] }) }) })
      }) }`
    writeFileSync(join(folder, 'fuse.mjs'), fuse)
    const [port] = await freePorts(1)
    url = `http://127.0.0.1:${port}`
    config = join(folder, 'nexstream.toml')
    writeFileSync(config, `
[daemon]
builtin_plugins = ["reporter-prometheus"]
[kafka]
brokers = ["${proxy.address}"]
[commands]
topic = "${commands}"
[status]
topic = "${status}"
interval = "100ms"
[services.fuse]
[reporters.prometheus]
port = ${port}
[[plugins]]
use = "./fuse.mjs"
[log]
level = "error"
`) // prettier-ignore
    daemon = await startDaemon(loadConfig({ file: config }))
  })
  after(async () => {
    await daemon?.stop('test over')
    await proxy?.close()
    await own?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('is good: over HTTP, by the config, and over Kafka where nobody serves HTTP', async () => {
    await until(async () => (await probe('/readyz')) === '200 ready')
    assert.equal(await probe('/healthz'), '200 alive')
    const [byConfig, overKafka] = await Promise.all([
      health('--config', config, '--wait'),
      health('--config', config, '--set', 'reporters.prometheus=false')
    ])
    for (const { code, stdout, stderr } of [byConfig, overKafka])
      assert.deepEqual([code, stdout, stderr], [0, 'ready\n', ''])
  })

  it('is not good while Kafka is away, though alive', async () => {
    await proxy.away()
    await until(async () => (await probe('/readyz')) === '503 no Kafka broker answers', 60_000)
    assert.equal(await probe('/healthz'), '200 alive')
    const [ready, live] = await Promise.all([health(url), health(url, '--live', '--json')])
    assert.deepEqual([ready.code, ready.stdout], [1, 'no Kafka broker answers\n'])
    assert.deepEqual([live.code, JSON.parse(live.stdout)], [0, { good: true, said: ['alive'] }])
    await proxy.back()
    await until(async () => (await probe('/readyz')) === '200 ready', 60_000)
  })

  it('is not good when a service says so, and bad when nobody answers', async () => {
    const blown = await nexstream(['send', '-', '--config', config, '--timeout', '30s'], {
      input: '{"cmd": "blow", "service": "fuse"}'
    })
    assert.equal(blown.code, 0, blown.stderr)
    await until(async () => (await probe('/readyz')) === '503 service fuse: the fuse is out')
    const over = await health('--config', config, '--set', 'reporters.prometheus=false')
    assert.deepEqual([over.code, over.stdout], [1, 'service fuse: the fuse is out\n'])
    await daemon?.stop('test over')
    const { code, stdout } = await health(url)
    assert.deepEqual([code, /does not answer: .*ECONNREFUSED/.test(stdout)], [3, true], stdout)
  })
})
