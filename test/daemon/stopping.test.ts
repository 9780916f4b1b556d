// The end of the daemon: whatever it is doing, and whether Kafka answers or not, it ends in time, says so and answers once.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Control } from '../support/control.js'
import { kafka, testTopics } from '../support/kafka.js'
import { entry, group } from '../filewriter/harness.js'
import { readNexus } from '../support/nexus.js'
import { type KafkaProxy, kafkaProxy } from '../support/kafka-proxy.js'
import { random } from '../support/random.js'
import { type Child, start } from '../cli/child.js'

const PRODUCE = 0

describe('a daemon that is told to stop', function () {
  this.timeout(240_000)
  let brokers: string[]
  let topics: Record<'commands' | 'status' | 'values', string>
  let control: Control
  const children: Child[] = []

  before(async () => {
    brokers = (await kafka()).brokers
    topics = await testTopics(['commands', 'status', 'values'])
    control = await Control.open(brokers, topics.commands, [topics.status])
  })
  after(async () => {
    await Promise.all(children.map((child) => child.close()))
    await control?.close()
  })

  /** A forwarder alone, on commands of JSON and of 2018. */
  async function forwarder(): Promise<Child> {
    const listen = JSON.stringify([{ topic: topics.commands, dialects: ['forwarder-2018', 'json'] }])
    const child = start([
      ...['run', '-b', brokers.join(',')],
      ...['--set', `commands.listen=${listen}`, '--set', `status.topic=${topics.status}`],
      ...['--set', 'services.forwarder={}', '--set', 'reporters.json=false', '--set', 'reporters.x5f2=false']
    ])
    children.push(child)
    await child.says(/ is up as /)
    return child
  }
  const streams = (from: number) =>
    Array.from({ length: 20 }, (_, i) => ({ channel: `S${from + i}`, protocol: 'sim', converter: 'f144', topic: topics.values })) // prettier-ignore
  const startCommand = (id: string, from = 0): string =>
    JSON.stringify({ cmd: 'start', service: 'forwarder', msg_id: id, streams: streams(from) })
  const answers = (id: string): number => control.said.filter(({ json }) => json?.['msg_id'] === id).length

  /** Clean, without a word of trouble, and every command that was heard answered once. */
  async function endedCleanly(child: Child, ids: readonly string[], what: string): Promise<void> {
    const { code, signal, stderr } = await child.ended
    assert.deepEqual([code, signal], [0, null], `${what}: ${stderr}`)
    assert.match(stderr, / INFO {2}stopped\n$/, what)
    assert.doesNotMatch(stderr, /closed|Error:/, what)
    // What the daemon has sent is there: it waits for Kafka's word
    await control.sendRaw('mark')
    for (const id of ids) {
      const heard = stderr.includes(`command start forwarder (msg_id=${id},`) || stderr.includes(`msg_id=${id} `)
      if (heard) {
        const answer = await control.json((json) => json['msg_id'] === id, `${what}: an answer`)
        assert.match(String(answer['message']), /^20 added|the daemon is stopping|the daemon stopped before/, what)
      }
      assert.equal(answers(id), heard ? 1 : 0, `${what}: ${stderr}`)
    }
  }

  const draw = random(2018)
  for (const delayMs of [0, 2, 5, 10, 15, 50, draw(50), draw(50)])
    it(`ends cleanly at SIGTERM ${delayMs} ms after a start command`, async () => {
      const child = await forwarder()
      const ids = [randomUUID(), randomUUID()]
      ids.forEach((id, i) => control.producer.send({ topic: topics.commands, value: startCommand(id, 20 * i) }))
      const sent = control.producer.flush()
      await sleep(delayMs)
      child.kill('SIGTERM')
      await sent
      await endedCleanly(child, ids, `SIGTERM after ${delayMs} ms`)
    })

  for (const [what, order] of [
    ['behind a start', ['start', 'exit']],
    ['before a start', ['exit', 'start']],
    ['between two starts', ['start', 'exit', 'start']]
  ] as const)
    it(`ends cleanly at the exit of 2018 in one batch, ${what}`, async () => {
      const child = await forwarder()
      const ids: string[] = []
      for (const one of order) {
        const id = randomUUID()
        if (one === 'start') ids.push(id)
        const value = one === 'exit' ? '{"cmd": "exit"}' : startCommand(id, 20 * ids.length)
        control.producer.send({ topic: topics.commands, value })
      }
      await control.producer.flush()
      await endedCleanly(child, ids, what)
    })

  it('does not carry out an exit or stop from before its start, and says its last word as stopped', async () => {
    const own = await testTopics(['commands', 'status'])
    const heard = await Control.open(brokers, own.commands, [own.status])
    try {
      await heard.sendRaw('{"cmd": "exit", "everyone": true, "msg_id": "old exit"}')
      await heard.sendRaw('{"cmd": "stop", "service": "forwarder", "all": true, "msg_id": "old stop"}')
      await heard.sendRaw('{"cmd": "status", "msg_id": "old status"}')
      const listen = JSON.stringify([{ topic: own.commands, dialects: ['json'], from: 'earliest' }])
      const stream = { channel: 'S', protocol: 'sim', converter: 'f144', topic: topics.values }
      const set = ['--set', `commands.listen=${listen}`, '--set', `status.topic=${own.status}`]
      const forward = ['--set', `services.forwarder=${JSON.stringify({ streams: [stream] })}`]
      const child = start(['run', '-b', brokers.join(','), ...set, ...forward])
      children.push(child)
      const old = await heard.json(({ msg_id: id }) => id === 'old status', 'the answer to what harms nothing')
      assert.equal(old['response'], 'ACK')
      for (const id of ['old exit', 'old stop']) {
        const answer = await heard.json(({ msg_id }) => msg_id === id, `the answer to the ${id}`)
        assert.match(String(answer['message']), /older than the start of this daemon: not carried out/)
      }
      const answer = await heard.send({ cmd: 'status', service: 'forwarder' })
      assert.equal((answer['result'] as { streams: number }).streams, 1)
      const debug = await heard.send({ cmd: 'config', service: 'daemon', log_level: 'debug' })
      assert.equal(debug['response'], 'ACK')
      await child.says(/logs debug and what is more severe/)
      child.kill('SIGUSR2') // Debug already: back to the usual
      await child.says(/logs info and what is more severe/)
      await heard.sendRaw('{"cmd": "exit", "everyone": true}')
      assert.equal((await child.ended).code, 0)
      await heard.json(({ type, state }) => type === 'nexstream_status' && state === 'stopped', 'the last word')
    } finally {
      await heard.close()
    }
  })

  it('warns of another daemon of its name, and ends cleanly when its terminal goes', async () => {
    const run = (): Child => {
      const set = ['--set', `status.topic=${topics.status}`, '--set', 'daemon.service_id=the-only-one']
      const child = start(['run', '-b', brokers.join(','), ...set])
      children.push(child)
      return child
    }
    const first = run()
    await first.says(/ is up as /)
    const second = run()
    await second.says(/WARN {2}another daemon calls itself the-only-one, too \(host \S+, pid \d+\)/)
    for (const child of [first, second]) {
      child.kill('SIGHUP')
      const { code, stderr } = await child.ended
      assert.equal(code, 0, stderr)
      assert.match(stderr, /stopping: SIGHUP[\s\S]* stopped\n$/)
    }
  })

  it('tells loss and return of Kafka in one line each', async () => {
    const proxy = await kafkaProxy(brokers[0]!)
    try {
      const set = ['--set', `status.topic=${topics.status}`, '--set', 'reporters.prometheus={"port": 0}']
      const child = start(['run', '-b', proxy.address, ...set])
      children.push(child)
      await child.says(/ is up as /)
      await child.says(/metrics at http:\S+\/metrics/)
      const url = /http:\S+/.exec(child.stderr)![0]
      const connected = async (): Promise<string> =>
        /^nexstream_kafka_connected (\d)/m.exec(await (await fetch(url)).text())![1]!
      assert.equal(await connected(), '1')
      await proxy.away()
      await child.says(/ WARN {2}Kafka is away: .*ECONNREFUSED/)
      while ((await connected()) === '1') await sleep(50)
      assert.equal((await fetch(url.replace('/metrics', '/health'))).status, 503)
      await proxy.back()
      await child.says(/ INFO {2}Kafka is back after \d+\.\d s/)
      while ((await connected()) === '0') await sleep(50)
      child.kill('SIGTERM')
      const { code, stderr } = await child.ended
      assert.equal(code, 0)
      assert.equal(stderr.match(/Kafka is/g)?.length, 2, stderr)
    } finally {
      await proxy.close()
    }
  })

  describe('while Kafka is away', () => {
    let proxy: KafkaProxy
    beforeEach(async () => (proxy = await kafkaProxy(brokers[0]!)))
    afterEach(() => proxy.close())

    const reporters = JSON.stringify({ json: {}, x5f2: {}, prometheus: { port: 0 } })
    const silent = { refuses: () => proxy.away(), hangs: () => (proxy.meddle = () => Buffer.alloc(0)) }
    for (const [how, go] of Object.entries(silent))
      it(`ends by itself with all its reporters, and says what was lost, when the broker ${how}`, async () => {
        const child = start([
          ...['run', '-b', proxy.address, '--set', 'kafka.request_timeout_ms=2000'],
          ...['--set', `commands.topic=${topics.commands}`, '--set', `status.topic=${topics.status}`],
          ...['--set', 'services.forwarder={}', '--set', `reporters=${reporters}`]
        ])
        children.push(child)
        await child.says(/ is up as /)
        await go()
        await child.says(/ WARN {2}Kafka is away: /)
        child.kill('SIGTERM')
        const { code, stderr } = await child.ended
        assert.equal(code, 0, stderr)
        assert.match(stderr, / WARN {2}stopped; on the way: .*messages were lost.*\n$/)
        assert.equal(stderr.match(/Kafka is away/g)?.length, 1, stderr)
      })

    it('ends runs of the simulator and histograms within the time of one producer, and says what is lost', async () => {
      const child = start([
        ...['run', '-b', proxy.address, '--set', 'services.simulator={}', '--set', 'services.histogram={}'],
        ...['--set', `commands.topic=${topics.commands}`, '--set', `status.topic=${topics.status}`]
      ])
      children.push(child)
      await child.says(/ is up as /)
      const topic = topics.values
      const image = { id: 'image', kind: 'image', data_topic: topic, topic, width: 8, height: 8 }
      for (const command of [
        { cmd: 'start', service: 'histogram', job_id: 'see', histograms: [image] },
        { cmd: 'start', service: 'simulator', job_id: 'beam', topic, schema: 'ev44' }
      ]) {
        const answer = await control.send(command)
        assert.equal(answer['response'], 'ACK', JSON.stringify(answer))
      }
      await proxy.away()
      await child.says(/ WARN {2}Kafka is away: /)
      child.kill('SIGTERM')
      const { code, stderr } = await child.ended
      // 1: a service did not stop within its part of daemon.shutdown_timeout
      assert.equal(code, 0, stderr)
      assert.doesNotMatch(stderr, /did not finish within/)
      assert.match(stderr, / ERROR run beam: \d+ of \d+ messages are lost /)
      assert.match(stderr, / ERROR job see: the daemon stopped before it knew what was left in Kafka: what was not read is not counted /) // prettier-ignore
    })

    /** The answer to a start is on its topic, but its acknowledgement does not come back; then the broker goes. */
    const unacknowledged = {
      'goes before it acknowledges the answer': {
        before: () => {
          const held = new Set<number>()
          proxy.overhear = (api, frame) => {
            if (api === PRODUCE && frame.includes('"response":"ACK"')) held.add(frame.readInt32BE(8))
            return undefined
          }
          const isHeld = (frame: Buffer): boolean => held.has(frame.readInt32BE(4))
          proxy.meddle = (api, frame) => (api === PRODUCE && isHeld(frame) ? Buffer.alloc(0) : frame)
        },
        go: () => proxy.away()
      }
    }
    const ways: Readonly<Record<string, { before?: () => void; go: () => unknown }>> = {
      refuses: { go: silent.refuses },
      hangs: { go: silent.hangs },
      ...unacknowledged
    }
    for (const [how, { before, go }] of Object.entries(ways))
      it(`gives the file of a job its name with what there is, and says that it is lost, when the broker ${how}`, async () => {
        before?.()
        const folder = mkdtempSync(join(tmpdir(), 'nexstream-stopping-'))
        try {
          const child = start([
            ...['run', '-b', proxy.address, '--set', `services.filewriter={"folder":${JSON.stringify(folder)}}`],
            ...['--set', `commands.topic=${topics.commands}`, '--set', `status.topic=${topics.status}`]
          ])
          children.push(child)
          await child.says(/ is up as /)
          const structure = entry(group('pv', 'f144', topics.values, 'pv'))
          const job = { cmd: 'start', service: 'filewriter', job_id: 'job', file_name: 'run.nxs' }
          const answer = await control.send({ ...job, nexus_structure: structure })
          assert.equal(answer['response'], 'ACK', JSON.stringify(answer))
          await go()
          await child.says(/ WARN {2}Kafka is away: /)
          child.kill('SIGINT')
          const { code, stderr } = await child.ended
          assert.equal(code, 0, stderr)
          assert.deepEqual(readdirSync(folder), ['run.nxs'], stderr)
          assert.match(stderr, / ERROR job \w+: \S+run\.nxs: .*what was not read is missing/)
          const report = await readNexus(join(folder, 'run.nxs'), ['/entry/nexstream_report/data'])
          assert.match(JSON.stringify(Object.values(report)), /verdict.{1,6}lost/)
        } finally {
          rmSync(folder, { recursive: true, force: true })
        }
      })
  })
})
