// The aggregator of a real daemon: boards in any order on several partitions become whole frames, also over a restart.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Kafka, type Producer } from '../../core/api/plugin.js'
import { connectKafka } from '../../core/kafka/client.js'
import { DaemonProcess } from '../../plugins/tools-dev/daemon-process.js'
import { decodeJson, encodeMessage } from '../../schemas/index.js'
import { Control, type Said } from '../support/control.js'
import { kafka as startKafka, testTopics } from '../support/kafka.js'

type Message = Readonly<Record<string, unknown>>

describe('aggregator', function () {
  this.timeout(200_000)
  let topics: Record<'commands' | 'status' | 'runs' | 'raw' | 'frames', string>
  let kafka: Kafka
  let producer: Producer
  let control: Control
  let daemon: DaemonProcess | undefined
  let folder: string
  let config: string

  const startNs = BigInt(Date.now() - 1000) * 1_000_000n
  const timeOf = (frame: number): bigint => startNs + BigInt(frame) * 20_000_000n
  const board = (frame: number, tof: readonly number[], partition: number): void =>
    void producer.send({ topic: topics.raw, partition, timestampMs: Number(timeOf(frame) / 1_000_000n), value: encodeMessage('ev44', { source_name: 'rust_proc', message_id: 1n, reference_time: [timeOf(frame) + BigInt(partition)], reference_time_index: [0], time_of_flight: [...tof], pixel_id: [...tof] }) }) // prettier-ignore
  const pulse = (frame: number, vetos: number): void =>
    void producer.send({ topic: topics.raw, partition: 0, timestampMs: Number(timeOf(frame) / 1_000_000n), value: encodeMessage('pu00', { source_name: 'rust_proc', message_id: 1n, reference_time: timeOf(frame), vetos, period_number: 1, proton_charge: 0.5 }) }) // prettier-ignore
  const framesOut = (): Said[] => control.said.filter(({ topic }) => topic === topics.frames)
  const stateOf = (json: Readonly<Record<string, unknown>>): Message | undefined => (json['services'] as { aggregator?: Message } | undefined)?.aggregator // prettier-ignore

  async function run(): Promise<void> {
    const before = control.said.length
    daemon = new DaemonProcess([config], process.env, join(folder, 'log'))
    const up = control.wait((said) => control.said.indexOf(said) >= before && said.json !== null && stateOf(said.json)?.['not_ready'] === undefined && stateOf(said.json)?.['state'] === 'running', 'a status') // prettier-ignore
    await Promise.race([up, daemon.crash()])
  }

  before(async () => {
    const { brokers } = await startKafka()
    topics = { ...(await testTopics(['commands', 'status', 'runs', 'frames'])), ...(await testTopics(['raw'], { partitions: 2 })) } // prettier-ignore
    kafka = connectKafka({ brokers: [...brokers] })
    producer = kafka.producer({ lingerMs: 0 })
    folder = mkdtempSync(join(tmpdir(), 'nexstream-aggregator-'))
    config = join(folder, 'nexstream.toml')
    writeFileSync(
      config,
      `[daemon]
builtin_plugins = ["service-aggregator", "converter-events", "converter-pu00", "reporter-json"]
[kafka]
brokers = ${JSON.stringify(brokers)}
[commands]
topic = "${topics.commands}"
[status]
topic = "${topics.status}"
interval = "300ms"
[services.aggregator]
input_topic = "${topics.raw}"
output_topic = "${topics.frames}"
source = "LARMOR"
max_events = 3
runs = "${topics.runs}"
veto_mask = 4
wait_ms = 3000
`
    )
    control = await Control.open(brokers, topics.commands, [topics.status, topics.frames])
    // The output has a frame already: numbers and input go on from there
    producer.send({ topic: topics.frames, timestampMs: Number(timeOf(0) / 1_000_000n), value: encodeMessage('pu00', { source_name: 'LARMOR', message_id: 41n, reference_time: timeOf(0) }) }) // prettier-ignore
    // What is no frame does not hide the frames before it
    producer.send({ topic: topics.frames, value: Buffer.from('no frame') })
    await producer.flush()
  })
  after(async () => {
    await daemon?.stop()
    await control?.close()
    await producer?.close()
    await kafka?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('puts boards and pulses of a frame together, from where its output ends', async () => {
    // Before it runs: it reads them all the same
    board(1, [30, 10], 0)
    board(1, [20, 40], 1)
    pulse(1, 4)
    board(0, [99], 1)
    await producer.flush()
    await run()
    await control.wait(() => framesOut().length >= 5, 'the frame')
    const [first, ...rest] = framesOut().slice(2).map(({ value }) => decodeJson(value)) // prettier-ignore
    const time = String(timeOf(1))
    assert.deepEqual(first, { file_identifier: 'pu00', message: { source_name: 'LARMOR', message_id: '42', reference_time: time, vetos: 4, period_number: 1, proton_charge: 0.5 } }) // prettier-ignore
    assert.deepEqual(rest.map(({ file_identifier: id, message }) => [id, message['message_id'], message['reference_time']]), [['ev44', '43', [time]], ['ev44', '44', [time]]]) // prettier-ignore
    // Which board comes first is Kafka's business
    const tofs = rest.map(({ message }) => message['time_of_flight'] as number[])
    assert.deepEqual(tofs.map(({ length }) => length), [3, 1]) // prettier-ignore
    assert.deepEqual(tofs.flat().toSorted((x, y) => x - y), [10, 20, 30, 40]) // prettier-ignore
    assert.deepEqual(tofs[0], tofs[0]?.toSorted((x, y) => x - y)) // prettier-ignore
    assert.deepEqual(rest.map(({ message }) => message['pixel_id']), tofs) // prettier-ignore
    const state = await control.json((json) => stateOf(json)?.['events'] === 4, 'the counts')
    assert.deepEqual(stateOf(state)?.['losses'], {})
  })

  it('goes on over a restart: numbers are continued, nothing comes twice, nothing is missing', async () => {
    await daemon?.stop()
    for (let frame = 2; frame <= 5; frame++) {
      board(frame, [frame], frame % 2)
      pulse(frame, 0)
    }
    await producer.flush()
    await run()
    await control.wait(() => framesOut().length >= 13, 'the frames')
    const messages = framesOut().slice(5).map(({ value }) => decodeJson(value).message as Message) // prettier-ignore
    assert.deepEqual(messages.map((one) => one['message_id']), ['45', '46', '47', '48', '49', '50', '51', '52']) // prettier-ignore
    assert.deepEqual(new Set(messages.map((one) => String(one['reference_time']))), new Set([2, 3, 4, 5].map((frame) => String(timeOf(frame))))) // prettier-ignore
  })

  it('a backlog on several partitions is put together in the order of time: no partition runs away from the others', async () => {
    await daemon?.stop()
    const [before, frames] = [framesOut().length, 1000]
    for (let frame = 6; frame < 6 + frames; frame++) {
      board(frame, [1, 2], 0)
      board(frame, [3], 1)
      pulse(frame, 0)
    }
    await producer.flush()
    await run()
    const state = await control.json((json) => stateOf(json)?.['frames'] === frames, 'all frames')
    const { events, losses } = stateOf(state) ?? {}
    assert.deepEqual({ events, losses }, { events: 3 * frames, losses: {} })
    await control.wait(() => framesOut().length >= before + 2 * frames, 'their messages')
  })

  it('tells how the run stands, anew for each run', async () => {
    const diagnosticsOf = (json: Message): Message | undefined => stateOf(json)?.['diagnostics'] as Message | undefined
    const before = control.said.length
    producer.send({ topic: topics.runs, value: encodeMessage('pl72', { run_name: '1', job_id: 'a', nexus_structure: '{}', filename: 'a' }) }) // prettier-ignore
    await producer.flush()
    await control.wait((said) => control.said.indexOf(said) >= before && said.json !== null && diagnosticsOf(said.json)?.['RAWFRAMES'] === 0, 'a new run') // prettier-ignore
    for (const [frame, vetoes] of [
      [3100, 2],
      [3101, 4]
    ] as const) {
      board(frame, [1, 2, 3], 0)
      pulse(frame, vetoes)
    }
    await producer.flush()
    const { json } = await control.wait((said) => control.said.indexOf(said) >= before && diagnosticsOf(said.json ?? {})?.['TOTALEVENTS'] === 6, 'both frames') // prettier-ignore
    const { RAWFRAMES, GOODFRAMES, RAWUAH, GOODUAH_PD, PERIOD } = diagnosticsOf(json ?? {}) ?? {}
    assert.deepEqual([RAWFRAMES, GOODFRAMES, RAWUAH, GOODUAH_PD, PERIOD], [2, 1, 1, 0.5, 2])
  })
})
