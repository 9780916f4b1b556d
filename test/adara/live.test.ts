// The live stream of a real daemon on a real Kafka, heard by clients that behave as Mantid's listener does.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Kafka, type Producer } from '../../core/api/plugin.js'
import { connectKafka } from '../../core/kafka/client.js'
import { DaemonProcess } from '../../plugins/tools-dev/daemon-process.js'
import { encodeMessage, type Fields } from '../../schemas/index.js'
import { Control } from '../support/control.js'
import { kafka as startKafka, testTopics } from '../support/kafka.js'
import { FakeMantid } from './listener.js'

const names = ['commands', 'status', 'events', 'values', 'runs'] as const
const IDF = '<?xml version="1.0"?><instrument name="AMOR"/>'
const BUFFER = 1 << 20

describe('live stream (ADARA)', function () {
  this.timeout(300_000)
  let topics: Record<(typeof names)[number], string>
  let kafka: Kafka
  let producer: Producer
  let daemon: DaemonProcess
  let control: Control
  let folder: string
  let port: number
  const listeners: FakeMantid[] = []

  const put = async (topic: string, id: string, fields: Fields): Promise<void> => {
    producer.send({ topic, value: encodeMessage(id, fields) })
    await producer.flush()
  }
  const value = (source_name: string, value: number, seconds: number): Promise<void> =>
    put(topics.values, 'f144', { source_name, timestamp: BigInt(seconds) * 10n ** 9n, value: { type: 'Double', value: { value } } }) // prettier-ignore
  const events = (seconds: number, tof: readonly number[], pixel_id: readonly number[], source = 'det'): Promise<void> => // prettier-ignore
    put(topics.events, 'ev44', { source_name: source, message_id: 1n, reference_time: [BigInt(seconds) * 10n ** 9n], reference_time_index: [0], time_of_flight: [...tof], pixel_id: [...pixel_id] }) // prettier-ignore
  const begin = (run: string, job: string): Promise<void> =>
    put(topics.runs, 'pl72', { start_time: BigInt(Date.now()), job_id: job, run_name: run, filename: 'x.nxs', nexus_structure: '{}' }) // prettier-ignore
  const end = (job: string): Promise<void> => put(topics.runs, '6s4t', { job_id: job, stop_time: 0n })
  const join_ = async (): Promise<FakeMantid> => {
    const listener = await FakeMantid.join(port)
    listeners.push(listener)
    return listener
  }
  const ask = (cmd: string, more: object = {}): Promise<Readonly<Record<string, unknown>>> =>
    control.send({ cmd, service: 'adara', ...more })
  const T = 1_790_000_000

  before(async () => {
    const { brokers } = await startKafka()
    topics = await testTopics(names)
    kafka = connectKafka({ brokers: [...brokers] })
    producer = kafka.producer({ lingerMs: 0 })
    folder = mkdtempSync(join(tmpdir(), 'nexstream-adara-'))
    writeFileSync(join(folder, 'idf.xml'), IDF)
    await value('T', 280, T - 100)
    await value('T', 281.5, T - 50)
    const config = join(folder, 'nexstream.toml')
    writeFileSync(
      config,
      `[daemon]
service_id = "adara"
builtin_plugins = ["service-adara", "converter-events", "converter-logs", "converter-al00", "converter-connection", "converter-pu00", "reporter-json"]
[kafka]
brokers = ${JSON.stringify(brokers)}
[commands]
topic = "${topics.commands}"
[status]
topic = "${topics.status}"
interval = "300ms"
[services.adara]
port = 0
instrument = "AMOR"
geometry = "${folder}/idf.xml"
events = [{ topic = "${topics.events}", source = "det" }]
monitors = [{ topic = "${topics.events}", source = "mon", monitor = 2 }]
pulses = { topic = "${topics.events}", source = "det" }
values = [{ topic = "${topics.values}" }]
runs = { topic = "${topics.runs}" }
gather_ms = 50
client_buffer_bytes = ${BUFFER}
heartbeat_ms = 100
`
    )
    control = await Control.open(brokers, topics.commands, [topics.status])
    daemon = new DaemonProcess([config], process.env, join(folder, 'log'))
    const portOf = (json: Readonly<Record<string, unknown>>): number =>
      Number((json['services'] as { adara?: { port?: number } } | undefined)?.adara?.port ?? 0)
    const up = control.json((json) => json['type'] === 'nexstream_status' && portOf(json) > 0, 'a port', 60_000)
    port = portOf(await Promise.race([up, daemon.crash()]))
  })
  after(async () => {
    for (const listener of listeners) listener.leave()
    await daemon?.stop()
    await control?.close()
    await producer?.close()
    await kafka?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('a client that joins without a run gets geometry, beamline, status and last values, then what comes', async () => {
    const mantid = await join_()
    // The one before may come first: the server answers before it has read all
    await mantid.until(() => mantid.ready && mantid.seen.values.at(-1)?.[1] === 281.5, 'greeting')
    assert.deepEqual([mantid.geometry, mantid.instrument, mantid.status, mantid.run], [IDF, 'AMOR', 0, 0])
    assert.deepEqual(mantid.extract().values.at(-1), ['T', 281.5, BigInt(T - 50) * 10n ** 9n, 0])
    await put(topics.values, 'al00', { source_name: 'T', timestamp: BigInt(T) * 10n ** 9n, severity: { value: 2 }, message: 'hot' }) // prettier-ignore
    await put(topics.values, 'f142', { source_name: 'S', timestamp: BigInt(T) * 10n ** 9n, value: { type: 'String', value: { value: 'open' } } }) // prettier-ignore
    await mantid.until(() => mantid.seen.values.length === 2 && mantid.heartbeats > 1, 'alarm, text and heartbeats')
    assert.deepEqual(mantid.seen.values.map(([name, content, , severity]) => [name, content, severity]), [['T', 281.5, 2], ['S', 'open', 0]]) // prettier-ignore
    assert.deepEqual(mantid.troubles, [])
    mantid.leave()
  })

  it('runs begin and end: a listener that stops reading then finds all again, and no event of a run is lost', async () => {
    const mantid = await join_()
    await mantid.until(() => mantid.ready, 'greeting')
    const job = randomUUID()
    await begin('AMOR0042', job)
    await mantid.until(() => mantid.stopped, 'the begin of the run')
    assert.deepEqual([mantid.status, mantid.run], [1, 42])
    // It does not read while these are sent
    await put(topics.events, 'pu00', { source_name: 'det', message_id: 1n, reference_time: BigInt(T) * 10n ** 9n, vetos: 0, period_number: 0, proton_charge: 1e-6 }) // prettier-ignore
    await events(T, [1000, 2000], [1, 2])
    await events(T, [77_700], [9], 'mon')
    mantid.extract()
    await mantid.until(() => mantid.seen.monitors.size > 0, 'events of the run')
    assert.deepEqual(mantid.seen.events, [[1, 10], [2, 20]]) // prettier-ignore
    assert.deepEqual(mantid.seen.pulses[0]?.charge, 3600)
    assert.deepEqual(mantid.seen.pulses[0]?.time, BigInt(T) * 10n ** 9n)
    assert.deepEqual([...mantid.seen.monitors], [[2, [777]]]) // prettier-ignore
    assert.deepEqual(mantid.seen.values.map(([name]) => name), ['T', 'S']) // prettier-ignore
    await events(T + 1, [3000], [3])
    await mantid.until(() => mantid.seen.events.length === 3, 'the last event')
    await end(job)
    await mantid.until(() => mantid.stopped, 'the end of the run')
    assert.equal(mantid.status, 4)
    mantid.extract()
    await mantid.until(() => mantid.ready && mantid.seen.values.length === 2, 'geometry and values after the end')
    const next = randomUUID()
    await begin('AMOR0043', next)
    await mantid.until(() => mantid.stopped, 'the next run')
    mantid.extract()
    await begin('AMOR0044', randomUUID())
    await mantid.until(() => mantid.stopped, 'its end by the run after it')
    assert.equal(mantid.status, 4)
    mantid.extract()
    await mantid.until(() => mantid.stopped, 'that run')
    mantid.extract()
    assert.deepEqual([mantid.status, mantid.run], [1, 44])
    // A stop of a run that is over means nothing
    await end(next)
    await mantid.until(() => mantid.ready, 'geometry')
    assert.deepEqual([mantid.statuses, mantid.troubles], [[0, 1, 4, 1, 4, 1], []])
    mantid.leave()
  })

  it('a client joins in the middle of a run, and of a pause', async () => {
    await ask('annotate', { kind: 'pause', text: 'coffee' })
    const mantid = await join_()
    await mantid.until(() => mantid.ready && mantid.seen.values.length === 2, 'greeting')
    assert.deepEqual([mantid.status, mantid.run], [5, 44])
    await events(T + 10, [100], [1])
    const reply = await ask('status')
    const { pulses } = reply['result'] as { pulses: number }
    await control.json((json) => ((json['services'] as { adara?: { pulses?: number; state?: string } } | undefined)?.adara?.pulses ?? 0) > pulses, 'the pulse') // prettier-ignore
    await ask('annotate', { kind: 'resume' })
    await events(T + 11, [100], [2])
    await mantid.until(() => mantid.seen.events.length > 0, 'events after the pause')
    assert.deepEqual([mantid.seen.events, mantid.troubles], [[[2, 1]], []])
    mantid.leave()
  })

  it('one that does not read is cut off with a word; the others miss nothing', async () => {
    const [mantid, lazy] = [await join_(), await join_()]
    await mantid.until(() => mantid.ready, 'greeting')
    await lazy.until(() => lazy.ready, 'greeting')
    lazy.socket.pause()
    const many = 50_000
    const pixels = Array.from({ length: many }, (_, i) => i)
    let sent = 0
    const isCut = (): boolean => /is cut off: it did not read/.test(readFileSync(join(folder, 'log'), 'utf8'))
    // As much as the system takes for it, and what is allowed
    while (!isCut()) {
      for (let i = 0; i < 4; i++) await events(T + 100 + sent++, pixels, pixels)
      await mantid.until(() => mantid.seen.events.length === many * sent, `${sent} pulses`)
      assert.ok(sent < 200, 'it is never cut off')
    }
    assert.equal(mantid.closed, false)
    assert.deepEqual(mantid.seen.events.at(-1), [many - 1, Math.round((many - 1) / 100)])
    const reply = await ask('status')
    const { clients } = reply['result'] as { clients: { waiting_bytes: number }[] }
    assert.equal(clients.length, 1)
    mantid.leave()
  })

  it('who says no hello gets nothing, who says something else is cut off', async () => {
    const silent = await FakeMantid.join(port, false)
    listeners.push(silent)
    const rude = connect(port, '127.0.0.1')
    const gone = new Promise<void>((resolve) => rude.once('close', () => resolve()))
    rude.on('error', () => undefined)
    rude.write('GET / HTTP/1.1\r\n\r\n')
    await gone
    const polite = await join_()
    await polite.until(() => polite.heartbeats > 2, 'heartbeats')
    assert.deepEqual([silent.ready, silent.heartbeats], [false, 0])
    polite.leave()
    silent.leave()
  })

  it('our commands begin and end runs; what cannot be is refused', async () => {
    assert.equal((await ask('start', { run_number: 50, title: 'a < b' }))['response'], 'ACK')
    const mantid = await join_()
    await mantid.until(() => mantid.ready, 'greeting')
    assert.deepEqual([mantid.status, mantid.run], [5, 50])
    assert.equal((await ask('stop'))['message'], 'run 50 ends')
    await mantid.until(() => mantid.stopped, 'the end')
    const refused = await ask('stop')
    assert.deepEqual([refused['response'], (refused['errors'] as { code: string }[])[0]?.code], ['ERR', 'COMMAND_FAILED']) // prettier-ignore
    assert.equal((await ask('start', {}))['response'], 'ERR')
    mantid.leave()
  })
})
