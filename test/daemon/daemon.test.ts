import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Daemon, loadConfig, startDaemon } from '../../core/main.js'
import { API } from '../../core/api/plugin.js'
import { decodeJson } from '../../schemas/index.js'
import { Control } from '../support/control.js'
import { kafka, testTopics } from '../support/kafka.js'

describe('daemon on a real Kafka', function () {
  this.timeout(180_000)
  let brokers: string[]
  let topics: Record<'commands' | 'status', string>
  let daemon: Daemon | undefined
  let control: Control
  const asked: string[] = []

  before(async () => {
    brokers = (await kafka()).brokers
    topics = await testTopics(['commands', 'status'])
    const flags = {
      'kafka.brokers': JSON.stringify(brokers),
      'commands.topic': topics.commands,
      'commands.max_bytes': '100000',
      'status.topic': topics.status,
      'status.interval': '200ms',
      'log.level': 'error',
      'daemon.service_id': 'daemon-under-test'
    }
    const loaded = loadConfig({ flags })
    assert.deepEqual(loaded.findings, [])
    control = await Control.open(brokers, topics.commands, [topics.status])
    daemon = await startDaemon(loaded, (reason) => asked.push(reason))
  })

  after(async () => {
    await daemon?.stop('test over')
    await control?.close()
  })

  it('answers a status query with its msg_id and service id', async () => {
    const answer = await control.send({ cmd: 'status', msg_id: 'who' })
    assert.deepEqual([answer['response'], answer['msg_id'], answer['service_id']], ['ACK', 'who', 'daemon-under-test'])
    assert.equal((answer['result'] as { type: string }).type, 'nexstream_status')
    assert.equal((await control.send({ cmd: 'help' }))['response'], 'ACK')
    assert.deepEqual((await control.send({ cmd: 'jobs' }))['result'], [])
  })

  it('answers exactly once, with path and code, whatever is wrong, and lives on', async () => {
    const errors = async (command: Record<string, unknown>): Promise<unknown> => {
      const answer = await control.send(command)
      assert.equal(answer['response'], 'ERR')
      return (answer['errors'] as { code: string; path: string }[]).map(({ code, path }) => `${code} ${path}`)
    }
    assert.deepEqual(await errors({ cmd: 'strat' }), ['COMMAND_UNKNOWN /cmd'])
    assert.deepEqual(await errors({ cmd: 'status', verbose: true }), ['COMMAND_INVALID /verbose'])
    assert.deepEqual(await errors({ cmd: 'jobs', job_id: 7 }), ['COMMAND_INVALID /job_id'])
    assert.deepEqual(await errors({ cmd: 'jobs', job_id: 'absent' }), ['JOB_UNKNOWN /job_id'])
    assert.deepEqual(await errors({ cmd: 'start', service: 'filewriter', file_name: 'a', nexus_structure: {} }), [
      'COMMAND_UNKNOWN /service'
    ])
    const answersBefore = control.said.filter(({ json }) => json?.['type'] === 'nexstream_reply').length
    const wrong = [
      '',
      '{',
      'null',
      '[]',
      '{"a":1}',
      '{"cmd":7}',
      '[['.repeat(5000),
      `{"cmd":"status","x":"${'y'.repeat(200_000)}"}`,
      randomBytes(300)
    ]
    for (const bytes of wrong) await control.sendRaw(bytes)
    assert.equal((await control.send({ cmd: 'status', msg_id: 'still there' }))['response'], 'ACK')
    const answers = control.said.filter(({ json }) => json?.['type'] === 'nexstream_reply').slice(answersBefore)
    assert.equal(answers.length, wrong.length + 1)
    assert.deepEqual(
      answers.slice(0, -1).map(({ json }) => json?.['response']),
      wrong.map(() => 'ERR')
    )
    assert.ok(answers.some(({ json }) => String(json?.['message']).startsWith('COMMAND_TOO_LARGE')))
  })

  it('is silent for another daemon and reports its own state as JSON and x5f2', async () => {
    await control.sendRaw(JSON.stringify({ cmd: 'status', msg_id: 'not for you', service_id: 'someone-else' }))
    assert.equal(
      (await control.send({ cmd: 'status', msg_id: 'for you', service_id: 'daemon-under-test' }))['response'],
      'ACK'
    )
    assert.ok(!control.said.some(({ json }) => json?.['msg_id'] === 'not for you'))
    await control.json(
      (json) => json['type'] === 'nexstream_status' && json['service_id'] === 'daemon-under-test',
      'a status'
    )
    const beat = await control.wait(({ id }) => id === 'x5f2', 'a heartbeat')
    const { message } = decodeJson(beat.value) as { message: Record<string, unknown> }
    assert.deepEqual([message['service_id'], message['update_interval']], ['daemon-under-test', 2000])
    assert.equal((JSON.parse(message['status_json'] as string) as { job_id: string }).job_id, '')
  })

  it('asks for its own end on the command exit', async () => {
    assert.equal((await control.send({ cmd: 'exit' }))['response'], 'ERR')
    assert.equal((await control.send({ cmd: 'exit', service_id: 'daemon-under-test' }))['response'], 'ACK')
    assert.deepEqual(asked, ['command exit'])
  })

  it('hears what a service tells another while it starts', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nexstream-early-'))
    const early = await testTopics(['commands', 'status'])
    const plugin = join(folder, 'early.mjs')
    writeFileSync(
      plugin,
      `export default { name: 'early', version: '1.0.0', api: ${API}, summary: 'test', apply: (registry) => registry.service({
        id: 'early', summary: 'test', config: { type: 'object' },
        open: (config, { kafka }) => ({
          async start() {
            const producer = kafka.producer({ lingerMs: 0 })
            producer.send({ topic: '${early.commands}', value: Buffer.from('{"cmd": "status", "msg_id": "early"}') })
            await producer.close()
          },
          stop: async () => undefined, snapshot: () => ({ state: 'idle' })
        })
      }) }`
    )
    const heard = await Control.open(brokers, early.commands, [early.status])
    const flags = {
      'kafka.brokers': JSON.stringify(brokers),
      'commands.topic': early.commands,
      'status.topic': early.status,
      'log.level': 'error',
      plugins: JSON.stringify([{ use: plugin }]),
      services: '{"early": {}}'
    }
    const other = await startDaemon(loadConfig({ flags }))
    try {
      await heard.json(({ type, msg_id }) => type === 'nexstream_reply' && msg_id === 'early', 'the answer')
    } finally {
      await other.stop('test over')
      await heard.close()
      rmSync(folder, { recursive: true })
    }
  })

  it('refuses to start without its topics, naming them and the remedy', async () => {
    const flags = {
      'kafka.brokers': JSON.stringify(brokers),
      'commands.topic': 'no-such-topic',
      'status.topic': topics.status,
      'log.level': 'error'
    }
    await assert.rejects(
      startDaemon(loadConfig({ flags })),
      (error: Error & { code: string }) =>
        error.code === 'TOPIC_MISSING' && /no-such-topic.*provision/.test(error.message)
    )
  })
})
