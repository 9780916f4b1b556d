// Runs as ISIS' run control says them, on the topic of runs: starts and stops of streaming instruments and of older electronics.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { decodeJson, encodeMessage, schemaId } from '../../schemas/index.js'
import { testTopics } from '../support/kafka.js'
import { readNexus } from '../support/nexus.js'
import { Harness } from './harness.js'

describe('run control of ISIS', function () {
  this.timeout(180_000)
  let h: Harness
  let topics: Record<'events' | 'env', string>
  before(async () => {
    h = await Harness.start({}, ({ commands, status }) => ({
      'commands.listen': JSON.stringify([{ topic: commands, dialects: ['ess'], reply_topic: status }])
    }))
  })
  after(async () => h?.close())

  /** In the grammar of old that it is sent in. */
  const stream = (topic: string, source: string, module: string): object => ({ type: 'stream', stream: { topic, source, writer_module: module } }) // prettier-ignore
  const group = (name: string, nxClass: string, ...children: object[]): object => ({ type: 'group', name, children, attributes: [{ name: 'NX_class', values: nxClass }] }) // prettier-ignore
  const structure = (module: string, source: string): string =>
    JSON.stringify({ children: [group('raw_data_1', 'NXentry', group('events', 'NXevent_data', stream(topics.events, source, module)), group('selog', 'IXselog', group('Temp', 'NXlog', stream(topics.env, 'IN:LARMOR:CS:SB:Temp', 'f144'))))] }) // prettier-ignore
  const answer = (job: string, id: string): Promise<unknown> =>
    h.control.wait((said) => said.id === id && decodeJson(said.value).message['job_id'] === job, `${id} of ${job}`)

  async function run(
    module: 'ev44' | 'ev42',
    source: string,
    fields: object,
    stop: (job: string) => object
  ): Promise<string> {
    // prettier-ignore
    topics = await testTopics(['events', 'env'])
    const job = randomUUID()
    const startMs = Math.floor((Date.now() - 10_000) / 1000) * 1000
    const file = `LARMOR${job.slice(0, 8)}.nxs`
    await h.control.sendRaw(encodeMessage('pl72', { job_id: job, filename: file, start_time: BigInt(startMs), instrument_name: 'LARMOR', nexus_structure: structure(module, source), broker: 'b:9092', control_topic: h.topics.commands, ...fields })) // prettier-ignore
    await answer(job, 'answ')
    const pulse = BigInt(startMs + 1000) * 1_000_000n
    const events = module === 'ev44' ? { reference_time: [pulse], reference_time_index: [0], pixel_id: [1, 2, 3] } : { pulse_time: pulse, detector_id: [1, 2, 3] } // prettier-ignore
    h.producer.send({ topic: topics.events, timestampMs: startMs + 1000, value: encodeMessage(module, { source_name: source, message_id: 1n, time_of_flight: [10, 20, 30], ...events }) }) // prettier-ignore
    h.log(topics.env, 'IN:LARMOR:CS:SB:Temp', startMs + 1000, 281.5)
    await h.producer.flush()
    await h.control.sendRaw(encodeMessage('6s4t', { job_id: job, run_name: 'LARMOR', stop_time: BigInt(startMs + 5000), ...stop(job) })) // prettier-ignore
    await answer(job, 'wrdn')
    return join(h.folder, file)
  }

  async function holds(path: string): Promise<void> {
    const names = ['raw_data_1/events/event_id', 'raw_data_1/selog/Temp/value']
    const content = await readNexus(path, names)
    assert.deepEqual(names.map((name) => content[name]), [[1, 2, 3], [281.5]]) // prettier-ignore
  }

  it('of streaming instruments: a file of each run', async () => {
    await holds(await run('ev44', 'KDAECTRL', { run_name: 'LARMOR00012345' }, () => ({})))
  })

  it('of the electronics before: whole seconds, a number as name, the job as id of the command', async () => {
    await holds(await run('ev42', 'ISISICP', { run_name: '12345' }, (job) => ({ command_id: job })))
  })

  it('hears nothing on the topic of runs but starts and stops: answers go elsewhere although it is named as control topic', async () => {
    const { kafka } = h.control
    const end = (await kafka.offsets(h.topics.commands, [0], 'latest')).get(0) ?? 0
    const reader = kafka.reader({ assign: [{ topic: h.topics.commands, partition: 0, offset: 0 }], maxWaitMs: 100 })
    const ids: (string | undefined)[] = []
    for (let at = 0; at < end;) {
      const batch = await reader.next()
      if (batch === null) break
      for (let i = 0; i < batch.count; i++) ids.push(schemaId(batch.value(i) ?? Buffer.alloc(0)))
      at = batch.nextOffset
      batch.release()
    }
    await reader.close()
    assert.deepEqual(ids, ['pl72', '6s4t', 'pl72', '6s4t'])
  })
})
