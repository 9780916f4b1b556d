// The simulator: exact counts in answer, snapshot and Kafka, back-pressure, refusals.
import assert from 'node:assert/strict'
import { type Command, type Origin, type Registry, type ServicePart } from '../../core/api/plugin.js'
import { type Converter, defineConverter, type EventRecord, type SourcePart } from '../../schemas/index.js'
import { carryOut } from '../../test/support/carry-out.js'
import { commands } from './commands/index.js'
import { MemoryKafka } from '../../test/support/memory-kafka.js'
import { serviceContext } from '../../test/support/service-context.js'
import instrument from '../source-instrument/index.js'
import plugin from './index.js'
import { type RunCounts } from './run.js'

const origin: Origin = { dialect: 'json', topic: 'commands', timestampMs: 0, replyTopic: 'answers' }

async function parts() {
  const sources: SourcePart[] = []
  const services: ServicePart[] = []
  const registry = {
    source: (part: SourcePart) => void sources.push(part),
    service: (part: ServicePart) => void services.push(part)
  } as unknown as Registry
  await instrument.apply(registry, {})
  await plugin.apply(registry, {})
  return { sources, service: services[0]! }
}

/** Encodes the pulse number and the number of events. */
const numbers = defineConverter({
  id: 'ev44',
  summary: 'test',
  config: { type: 'object' },
  open: (): Converter<EventRecord> => ({
    peek: () => undefined,
    encode: (record) => Buffer.from(`${record.source} ${record.messageId} ${record.timeOfFlight.length}`)
  })
})
const decodeOnly = defineConverter({
  id: 'f142',
  summary: 'test',
  config: { type: 'object' },
  open: (): Converter => ({ peek: () => undefined })
})

async function open(kafka: MemoryKafka) {
  const { sources, service } = await parts()
  const context = serviceContext(kafka, { sources, converters: [numbers, decodeOnly] })
  const simulator = service.open({}, context)
  await simulator.start()
  const run = (cmd: string, keys: Record<string, unknown> = {}) => {
    const command: Command = { cmd, service: 'simulator', ...keys }
    return carryOut(commands, simulator, command, origin)
  }
  return { simulator, context, run }
}

const until = async (done: () => boolean): Promise<void> => {
  while (!done()) await new Promise((resolve) => setImmediate(resolve))
}

describe('service-simulator', () => {
  it('sends every pulse of every channel once and reports the exact counts', async () => {
    const kafka = new MemoryKafka('ev', 'mon')
    const { run, context, simulator } = await open(kafka)
    const options = { pulses: 50, events_per_pulse: 30, monitor_events_per_pulse: 7, paced: false }
    const reply = await run('start', { job_id: 'one', topic: 'ev', monitor_topic: 'mon', options })
    assert.deepEqual([reply.response, reply.status, reply.job_id], ['ACK', 201, 'one'])
    await until(() => context.events.length > 0)
    const done = context.events[0] as unknown as RunCounts & { event: string; job_id: string }
    assert.deepEqual([done.event, done.job_id], ['simulation_done', 'one'])
    assert.deepEqual([done.pulses, done.events, done.messages, done.acknowledged], [50, 50 * 37, 100, 100])
    assert.deepEqual(done.topics['mon'], {
      messages: 50,
      events: 350,
      bytes: bytes(kafka, 'mon'),
      acknowledged: 50,
      failed: 0
    })
    assert.deepEqual(
      kafka.messages('ev').map(({ value }) => String(value)),
      Array.from({ length: 50 }, (_, n) => `amor_detector ${n} 30`)
    )
    assert.equal(kafka.messages('ev')[0]?.key, 'amor_detector')
    assert.equal(simulator.snapshot().state, 'idle')
    assert.equal(context.jobs.list()[0]?.['state'], 'done')
  })

  it('stamps messages with the time of their pulse', async () => {
    const kafka = new MemoryKafka('ev')
    const { run, context } = await open(kafka)
    const options = { pulses: 15, events_per_pulse: 1, start_time: '2020-01-01T00:00:00Z', paced: false }
    await run('start', { topic: 'ev', options })
    await until(() => context.events.length > 0)
    const detector = kafka.messages('ev').filter(({ key }) => key === 'amor_detector')
    assert.equal(detector[14]!.timestampMs - Date.parse('2020-01-01T00:00:00Z'), 1000)
  })

  it('holds the instrument while Kafka does not take more', async () => {
    const kafka = new MemoryKafka('ev')
    kafka.held = true
    const { run, context, simulator } = await open(kafka)
    // 4 MB messages against a buffer of 64 MiB
    const big = defineConverter({
      id: 'ev42',
      summary: 'test',
      config: { type: 'object' },
      open: (): Converter => ({ peek: () => undefined, encode: () => new Uint8Array(4_000_000) })
    })
    const bigContext = { ...context, converter: (id: string) => (id === 'ev42' ? big : undefined) }
    const service = (await parts()).service.open({}, bigContext)
    const options = { pulses: 30, events_per_pulse: 1, paced: false }
    await carryOut(commands, service, { cmd: 'start', topic: 'ev', schema: 'ev42', options }, origin)
    const counts = () => (service.snapshot()['runs'] as RunCounts[])[0]!
    await until(() => counts().messages > 16)
    const before = counts().messages
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve))
    assert.ok(counts().messages <= before + 2, 'no more than the updates under way')
    kafka.release()
    await until(() => context.events.length > 0)
    assert.equal(context.events[0]?.['acknowledged'], 60)
    await run('status')
    assert.equal(simulator.snapshot().state, 'idle')
  })

  it('stops on command with the counts in the answer', async () => {
    const kafka = new MemoryKafka('ev')
    const { run, simulator } = await open(kafka)
    await run('start', { job_id: 'x', topic: 'ev', options: { pulse_rate: 1000, events_per_pulse: 3 } })
    await until(() => kafka.messages('ev').length > 5)
    const reply = await run('stop', { job_id: 'x' })
    const { runs } = reply.result as { runs: RunCounts[] }
    assert.equal(runs[0]!.messages, kafka.messages('ev').length)
    assert.equal(runs[0]!.acknowledged, runs[0]!.messages)
    assert.equal(kafka.producers.size, 0)
    assert.equal(simulator.snapshot().state, 'idle')
    assert.equal((await run('stop', { job_id: 'x' })).status, 404)
  })

  it('reports messages that Kafka did not take', async () => {
    const kafka = new MemoryKafka('ev')
    kafka.failures.set('ev', new Error('record too large'))
    const { run, context } = await open(kafka)
    await run('start', { topic: 'ev', options: { pulses: 3, events_per_pulse: 1, paced: false } })
    await until(() => context.events.length > 0)
    assert.deepEqual([context.events[0]?.['failed'], context.events[0]?.['error']], [6, 'record too large'])
    assert.equal(context.jobs.list()[0]?.['state'], 'failed')
    const errors = context.logs.filter(({ level }) => level === 'error').map(({ message }) => message)
    assert.deepEqual(errors, ['run x: a message was not delivered: record too large', 'run x: 6 of 6 messages are lost'].map((text) => text.replace('run x', `run ${String(context.events[0]?.['job_id'])}`))) // prettier-ignore
  })

  it('refuses what it cannot run, each with its path', async () => {
    const { run } = await open(new MemoryKafka('ev'))
    const paths = async (keys: Record<string, unknown>): Promise<string[]> =>
      ((await run('start', keys)).errors ?? []).map(({ code, path }) => `${code} ${path}`)
    assert.deepEqual(await paths({ topic: 'nowhere' }), ['TOPIC_MISSING /topic'])
    assert.deepEqual(await paths({ topic: 'ev', monitor_topic: 'no' }), ['TOPIC_MISSING /monitor_topic'])
    assert.deepEqual(await paths({ topic: 'ev', instrument: 'sans' }), ['SOURCE_UNKNOWN /instrument'])
    assert.deepEqual(await paths({ topic: 'ev', schema: ['ev44', 'xy99'] }), ['CONVERTER_UNKNOWN /schema'])
    assert.deepEqual(await paths({ topic: 'ev', schema: 'f142' }), ['CONVERTER_UNKNOWN /schema'])
    assert.deepEqual(await paths({ topic: 'ev', options: { seed: -1 } }), ['CONFIG_INVALID /options/seed'])
    assert.deepEqual(await paths({ topic: 'ev', options: { sead: 1 } }), ['CONFIG_INVALID /options/sead'])
  })

  it('runs side by side under different names only', async () => {
    const { run, simulator } = await open(new MemoryKafka('ev'))
    await run('start', { job_id: 'a', topic: 'ev' })
    await assert.rejects(run('start', { job_id: 'a', topic: 'ev' }), { code: 'JOB_EXISTS' })
    await run('start', { job_id: 'b', topic: 'ev' })
    assert.equal((simulator.snapshot()['runs'] as unknown[]).length, 2)
    await simulator.stop('end')
    assert.equal(simulator.snapshot().state, 'idle')
  })
})

const bytes = (kafka: MemoryKafka, topic: string): number =>
  kafka.messages(topic).reduce((sum, { value }) => sum + value.length, 0)
