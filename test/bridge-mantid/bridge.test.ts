// The bridge of a real daemon, read in the steps of Mantid's Kafka listener.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Kafka, type Producer } from '../../core/api/plugin.js'
import { connectKafka } from '../../core/kafka/client.js'
import { DaemonProcess } from '../../plugins/tools-dev/daemon-process.js'
import { histogramMessage } from '../../plugins/service-bridge-mantid/histogram.js'
import { runName } from '../../plugins/service-bridge-mantid/words.js'
import { decodeJson, encodeMessage, type Fields, type Vector } from '../../schemas/index.js'
import { Control } from '../support/control.js'
import { kafka as startKafka, testTopics } from '../support/kafka.js'

type Message = Readonly<Record<string, unknown>>

const lossesOf = (json: Message): Message | undefined => (json['services'] as { bridge_mantid?: { losses?: Message } } | undefined)?.bridge_mantid?.losses // prettier-ignore

describe('bridge to Mantid', function () {
  this.timeout(200_000)
  let topics: Record<'commands' | 'status' | 'runs' | 'events' | 'values', string>
  let out: Record<'x_events' | 'x_monitors' | 'x_sampleEnv' | 'x_runInfo', string>
  let kafka: Kafka
  let producer: Producer
  let control: Control
  let daemon: DaemonProcess
  let folder: string

  const startMs = 1_790_000_000_000
  const put = (topic: string, id: string, fields: Fields): void => void producer.send({ topic, value: encodeMessage(id, fields) }) // prettier-ignore

  before(async () => {
    const { brokers } = await startKafka()
    topics = await testTopics(['commands', 'status', 'runs', 'events', 'values'])
    const prefix = topics.runs.replace('runs', 'x')
    const wanted = ['events', 'monitors', 'sampleEnv', 'runInfo'].map((name) => `${prefix}_${name}`)
    kafka = connectKafka({ brokers: [...brokers] })
    producer = kafka.producer({ lingerMs: 0 })
    folder = mkdtempSync(join(tmpdir(), 'nexstream-bridge-'))
    writeFileSync(join(folder, 'geometry.json'), '{"children": []}')
    const config = join(folder, 'nexstream.toml')
    writeFileSync(
      config,
      `[daemon]
builtin_plugins = ["service-bridge-mantid", "converter-events", "converter-logs", "reporter-json", "tools-topics"]
[kafka]
brokers = ${JSON.stringify(brokers)}
[commands]
topic = "${topics.commands}"
[status]
topic = "${topics.status}"
interval = "300ms"
[services.bridge_mantid]
instrument = "LARMOR"
prefix = "${prefix}"
runs = "${topics.runs}"
events = [{ topic = "${topics.events}", sources = ["det"] }]
monitors = [{ topic = "${topics.events}", sources = ["mon"] }]
values = [{ topic = "${topics.values}" }]
geometry = "${folder}/geometry.json"
${wanted.map((name) => `[[topics]]\nname = "${name}"\n`).join('')}`
    )
    const { nexstream } = await import('../cli/child.js')
    assert.equal((await nexstream(['provision', '--config', config])).code, 0)
    out = Object.fromEntries(wanted.map((name) => [name.replace(prefix, 'x'), name])) as typeof out
    control = await Control.open(brokers, topics.commands, [topics.status, ...wanted])
    put(topics.runs, 'pl72', { start_time: startMs - 1000, run_name: 'LARMOR00000041', job_id: 'a', nexus_structure: '{}', filename: 'a' }) // prettier-ignore
    put(topics.runs, '6s4t', { stop_time: startMs - 500, job_id: 'a' })
    put(topics.runs, 'pl72', { start_time: startMs, run_name: 'LARMOR00000042', job_id: 'b', nexus_structure: '{"module": 1}', filename: 'b', n_periods: 0, detector_spectrum_map: { spectrum: [1, 2], detector_id: [10, 20], n_spectra: 2 } }) // prettier-ignore
    await producer.flush()
    daemon = new DaemonProcess([config], process.env, join(folder, 'log'))
    const up = control.wait(({ topic }) => topic === out.x_runInfo, 'a word of run control')
    await Promise.race([up, daemon.crash()])
  })
  after(async () => {
    await daemon?.stop()
    await control?.close()
    await producer?.close()
    await kafka?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Partition 0 from a place on, so many messages. */
  async function read(topic: string, offset: number, count: number): Promise<{ id: string; message: Message }[]> {
    const reader = kafka.reader({ assign: [{ topic, partition: 0, offset }], maxWaitMs: 100 })
    const found: { id: string; message: Message }[] = []
    while (found.length < count) {
      const batch = await reader.next()
      if (batch === null) break
      for (let i = 0; i < batch.count; i++) {
        const { file_identifier: id, message } = decodeJson(batch.value(i) ?? Buffer.alloc(0))
        found.push({ id, message })
      }
      batch.release()
    }
    await reader.close()
    return found
  }

  it('a listener that starts at the beginning of the run finds the run, its events, monitors and values', async () => {
    const pulse = BigInt(startMs + 100) * 1_000_000n
    const ev44 = (source: string, times: bigint[], index: number[], ids: number[]): void =>
      put(topics.events, 'ev44', { source_name: source, message_id: 1n, reference_time: times, reference_time_index: index, time_of_flight: ids.map((id) => 1000 * id), pixel_id: ids }) // prettier-ignore
    ev44('det', [pulse, pulse + 20_000_000n], [0, 2], [1, 2, 3])
    // A negative time is lost alone, and so is what lies before the first pulse
    ev44('det', [pulse + 40_000_000n, -1n], [1, 3], [4, 5, -6, 7])
    ev44('mon', [pulse], [0], [9])
    ev44('other', [pulse], [0], [9])
    put(topics.values, 'f144', { source_name: 'T', timestamp: pulse, value: { type: 'Double', value: { value: 281.5 } } }) // prettier-ignore
    await producer.flush()
    for (const topic of [out.x_events, out.x_monitors, out.x_sampleEnv])
      await control.wait((said) => said.topic === topic, topic)

    // 1. All topics are there
    for (const { name, partitions } of await kafka.topics(Object.values(out))) assert.deepEqual(partitions, [0], name)
    // 2. The last two words of run control, the second a pl72
    const high = (await kafka.offsets(out.x_runInfo, [0], 'latest')).get(0) ?? 0
    const [before, run] = await read(out.x_runInfo, high - 2, 2)
    assert.deepEqual([before?.id, run?.id], ['6s4t', 'pl72'])
    assert.equal(before?.message['stop_time'], String(BigInt(startMs - 500) * 1_000_000n))
    const start = run?.message
    assert.deepEqual([start?.['start_time'], start?.['run_name'], start?.['instrument_name'], start?.['nexus_structure'], start?.['n_periods']], [String(BigInt(startMs) * 1_000_000n), '42', 'LARMOR', '{"children": []}', 1]) // prettier-ignore
    assert.deepEqual(start?.['detector_spectrum_map'], { spectrum: [1, 2], detector_id: [10, 20], n_spectra: 2 })
    // Events and values from the start of the run on, by Kafka's times
    const timestampMs = Number(BigInt(start?.['start_time'] as string) / 1_000_000n)
    const offset = async (topic: string): Promise<number> => (await kafka.offsets(topic, [0], { timestampMs })).get(0) ?? -1 // prettier-ignore
    const events = await read(out.x_events, await offset(out.x_events), 3)
    const shown = ({ id, message }: { id: string; message: Message }): unknown => [id, message['pulse_time'], message['detector_id'], message['time_of_flight']] // prettier-ignore
    const epoch = 631_152_000_000_000_000n
    assert.deepEqual(events.map(shown), [['ev42', String(pulse - epoch), [1, 2], [1000, 2000]], ['ev42', String(pulse + 20_000_000n - epoch), [3], [3000]], ['ev42', String(pulse + 40_000_000n - epoch), [5], [5000]]]) // prettier-ignore
    const state = await control.json((json) => lossesOf(json)?.['events'] === 3, 'the losses') // prettier-ignore
    assert.deepEqual(lossesOf(state), { events: 3, other_source: 5 })
    const [monitor] = await read(out.x_monitors, 0, 1)
    assert.deepEqual(monitor?.message['detector_id'], [9])
    const [log] = await read(out.x_sampleEnv, await offset(out.x_sampleEnv), 1)
    assert.deepEqual([log?.id, log?.message['source_name'], log?.message['timestamp'], (log?.message['value'] as { value: unknown }).value], ['f142', 'T', String(pulse), { value: 281.5 }]) // prettier-ignore
  })

  it('histograms have the edges of times first, spectra behind, whichever way round they come', () => {
    const vector = (dtype: 'float64' | 'int32', values: number[]): Vector => ({ dtype, length: values.length, bytes: new Uint8Array((dtype === 'int32' ? Int32Array.from(values) : Float64Array.from(values)).buffer) }) // prettier-ignore
    const times = { length: 2, unit: 'ns', label: 'time_of_flight', edges: vector('float64', [0, 1000, 3000]) }
    const pixels = { length: 3, unit: '', label: 'pixel', edges: null }
    const record = { source: 'h', timestampNs: 7_000_000n, lastMetadataTimestampNs: 0n, offset: null, errors: null, info: 'i' } // prettier-ignore
    const both = [
      { dimensions: [times, pixels], currentShape: [2, 3], data: vector('int32', [1, 2, 3, 4, 5, 6]) },
      { dimensions: [pixels, times], currentShape: [3, 2], data: vector('int32', [1, 4, 2, 5, 3, 6]) }
    ].map((one) => histogramMessage({ ...record, ...one }))
    for (const { value, timestampMs } of both) {
      const { file_identifier: id, message } = decodeJson(Buffer.from(value))
      const [first, second] = message['dim_metadata'] as Message[]
      assert.deepEqual([id, timestampMs, message['current_shape'], first?.['unit'], second?.['length']], ['hs00', 7, [3, 3], 'TOF', 3]) // prettier-ignore
      assert.deepEqual(first?.['bin_boundaries'], { type: 'ArrayDouble', type_id: 3, value: { value: [0, 1, 3] } })
      assert.deepEqual(message['data'], { type: 'ArrayDouble', type_id: 3, value: { value: [1, 4, 2, 5, 3, 6] } })
    }
    assert.throws(() => histogramMessage({ ...record, dimensions: [pixels], currentShape: [3], data: vector('int32', [1, 2, 3]) }), { reason: 'no_time_axis' }) // prettier-ignore
    assert.throws(() => histogramMessage({ ...record, dimensions: [{ ...times, length: 9 }], currentShape: [2], data: vector('int32', [1, 2]) }), { reason: 'part_of_histogram' }) // prettier-ignore
  })

  it('names of runs are numbers where they end in digits', () => {
    assert.deepEqual(['LARMOR00000042', '7', 'test', 'a1b', 'x123456789012', 'n000'].map(runName), ['42', '7', 'test', 'a1b', '456789012', '0']) // prettier-ignore
  })
})
