// The simulator of a daemon on a real Kafka: what it reports is what the reference package counts on the topics.
import assert from 'node:assert/strict'
import { readUntil, until } from '../support/forwarder/live.js'
import { type DaemonRunning, startDaemonProcess } from '../support/forwarder/process.js'
import { kafka, testTopics } from '../support/kafka.js'
import { runPython } from '../support/python.js'

/** Sums over messages (base64 lines): per schema and source the messages, events, and whether times ascend. */
const countScript = `
import sys, json, base64
from streaming_data_types import DESERIALISERS
found, last = {}, {}
for line in sys.stdin:
    raw = base64.b64decode(line)
    schema = raw[4:8].decode()
    event = DESERIALISERS[schema](raw)
    key = schema + " " + event.source_name
    time = event.pulse_time if schema == "ev42" else int(event.reference_time[0])
    entry = found.setdefault(key, {"messages": 0, "events": 0, "ascending": True, "first": str(time)})
    entry["messages"] += 1
    entry["events"] += len(event.time_of_flight)
    entry["ascending"] = entry["ascending"] and time > last.get(key, 0)
    last[key] = time
print(json.dumps(found))
`
const startTime = '2026-01-01T00:00:00Z'

describe('simulator on a real Kafka', function () {
  this.timeout(180_000)
  let daemon: DaemonRunning | undefined

  after(() => daemon?.stop())

  it('sends exactly what it reports, the same for the same seed, and stops on command', async () => {
    const { brokers } = await kafka()
    const topics = await testTopics(['commands', 'status', 'detector', 'monitor', 'again', 'live'])
    daemon = await startDaemonProcess(brokers, [], { topics, config: { services: { simulator: {} } } })
    const { control } = daemon
    const options = { seed: 7, pulse_rate: 14, events_per_pulse: 500, monitor_events_per_pulse: 50, pulses: 60, start_time: startTime, paced: false } // prettier-ignore
    const run = { cmd: 'start', service: 'simulator', schema: ['ev42', 'ev44'], options }
    const done = (id: string) =>
      control.json(({ event, job_id: job }) => event === 'simulation_done' && job === id, `the end of ${id}`, 90_000)

    const one = await control.send({ ...run, job_id: 'one', topic: topics.detector, monitor_topic: topics.monitor })
    assert.deepEqual([one['response'], one['status']], ['ACK', 201])
    const counts = await done('one')
    assert.deepEqual([counts['pulses'], counts['events'], counts['failed']], [60, 60 * 550, 0])
    await control.send({ ...run, job_id: 'two', topic: topics.again, monitor_topic: topics.monitor })
    await done('two')

    const read = (topic: string, count: number) => readUntil(brokers, topic, ({ length }) => length >= count)
    const [detector, again] = [await read(topics.detector, 120), await read(topics.again, 120)]
    assert.deepEqual(
      again.map(({ value }) => value),
      detector.map(({ value }) => value)
    )
    const lines = detector.map(({ value }) => value.toString('base64')).join('\n')
    const first = `${BigInt(Date.parse(startTime)) * 1_000_000n}`
    const each = { messages: 60, events: 60 * 500, ascending: true, first }
    assert.deepEqual(JSON.parse(await runPython(countScript, [], lines)), {
      'ev42 amor_detector': each,
      'ev44 amor_detector': each
    })
    assert.deepEqual(detector[0]!.timestampMs, Date.parse(startTime))
    assert.equal((await read(topics.monitor, 240)).length, 240)

    const { pulses, ...endless } = { ...options, paced: true, start_time: undefined, pulse_rate: 100 }
    assert.equal(pulses, 60)
    await control.send({ ...run, job_id: 'live', topic: topics.live, schema: 'ev44', options: JSON.parse(JSON.stringify(endless)) as object }) // prettier-ignore
    await until(async () => (await read(topics.live, 20)).length >= 20)
    const wrong = await control.send({ ...run, topic: 'absent', schema: 'zz99' })
    assert.deepEqual([wrong['response'], (wrong['errors'] as unknown[]).length], ['ERR', 2])
    const stopped = await control.send({ cmd: 'stop', service: 'simulator', job_id: 'live' })
    const [ended] = (stopped['result'] as { runs: { messages: number; events: number }[] }).runs
    assert.equal((await read(topics.live, ended!.messages)).length, ended!.messages)
    assert.deepEqual((await control.send({ cmd: 'status', service: 'simulator' }))['result'], { runs: [] })
  })
})
