// Kafka is away while a minute of pulses comes: sent = in Kafka + every loss counter, exactly, each event once.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { kernelState } from '../../plugins/service-event-formation/thread/kernel.js'
import { freePorts } from '../../plugins/tools-dev/fetched/ports.js'
import { until } from '../support/forwarder/live.js'
import { kafka } from '../support/kafka.js'
import { type KafkaProxy, kafkaProxy } from '../support/kafka-proxy.js'
import { generatedPackets, recordedCase } from './cases.js'
import { LiveFormation } from './live.js'

const beer = recordedCase('cbm-beer')
const START_NS = 1_700_000_000_000_000_000n
/** Of 14 Hz in a minute. */
const MINUTE = 840
const READOUTS = 200

interface Counted {
  readonly packets: number
  readonly events: number
  readonly delivered_events: number
  readonly losses: Readonly<Record<string, number>>
}

describe('event formation while Kafka is away', () => {
  let proxy: KafkaProxy
  let live: LiveFormation | undefined
  let metrics = ''

  beforeEach(async () => (proxy = await kafkaProxy((await kafka()).brokers[0]!)))
  afterEach(async () => {
    await proxy.back().catch(() => undefined)
    await live?.close()
    live = undefined
    await proxy.close()
  })

  async function open(more: string): Promise<LiveFormation> {
    const [port] = await freePorts(1)
    metrics = `http://127.0.0.1:${port}/metrics`
    live = await LiveFormation.open(
      ({ names, ports }) => `[services.event_formation.detectors.beer]
family = "beer"
topic = "${names.events}"
host = "127.0.0.1"
port = ${ports[0]}
config_file = "beer.json"
${more}
[reporters.prometheus]
port = ${port}
`,
      { 'beer.json': beer.config },
      { through: [proxy.address] }
    )
    return live.up()
  }

  /** What is sent in all; a minute of it while Kafka is away. */
  async function measure(
    running: LiveFormation,
    packets: number
  ): Promise<{ readonly readouts: number; readonly report: Counted }> {
    // prettier-ignore
    const all = await generatedPackets(beer, { seed: 3, pulses: MINUTE + 2, packets, readouts: READOUTS, loss: 0, startNs: START_NS }) // prettier-ignore
    const [first, during] = [all.slice(0, packets), all.slice(packets)]
    await running.send(first.map(({ bytes }) => bytes))
    await running.snapshot('what came before', ({ detectors }) => detectors['beer']?.['delivered_events'] === packets * READOUTS) // prettier-ignore
    await proxy.away()
    // In steps that the kernel has room for
    for (let i = 0; i < during.length; i += 20) {
      await running.send(during.slice(i, i + 20).map(({ bytes }) => bytes))
      while ((kernelState('127.0.0.1', running.ports[0]!)?.waiting ?? 0) > 0) await sleep(1)
    }
    const total = all.reduce((sum, { readouts }) => sum + readouts, 0)
    // Packets may wait in the daemon, too; its status cannot be heard now
    const counted = new RegExp(`^nexstream_event_formation_packets_total\\{.*\\} ${all.length}$`, 'm')
    await until(async () => counted.test(await (await fetch(metrics)).text()), 100_000)
    await proxy.back()
    const { result } = await running.command('stop', { job_id: 'beer' })
    const [report] = (result as { detectors: Counted[] }).detectors
    return { readouts: total, report: report! }
  }

  it('sends all of it when Kafka is back', async function () {
    if (process.platform !== 'linux') this.skip()
    const running = await open('')
    const { readouts, report } = await measure(running, 1)
    assert.deepEqual(Object.values(report.losses).filter((n) => n > 0), [], JSON.stringify(report.losses)) // prettier-ignore
    assert.equal(report.events, readouts)
    assert.equal(report.delivered_events, readouts)
    await running.control.wait(() => running.events(running.names.events) >= readouts, 'all events')
    assert.equal(running.events(running.names.events), readouts)
  })

  it('counts each event that it has no room for', async function () {
    if (process.platform !== 'linux') this.skip()
    const running = await open('send_buffer_bytes = 1048576')
    const { readouts, report } = await measure(running, 2)
    const { buffer = 0, ...others } = report.losses
    assert.deepEqual(Object.values(others).filter((n) => n > 0), [], JSON.stringify(others)) // prettier-ignore
    assert.ok(buffer > 0, `nothing was lost: ${JSON.stringify(report)}`)
    assert.equal(report.events, readouts)
    assert.equal(report.delivered_events + buffer, readouts)
    await running.control.wait(() => running.events(running.names.events) >= readouts - buffer, 'the events that had room') // prettier-ignore
    assert.equal(running.events(running.names.events) + buffer, readouts)
  })
})
