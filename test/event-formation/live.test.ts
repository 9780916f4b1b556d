// Packets by UDP to a real daemon, messages from a real Kafka: as recorded, nothing lost at the end, refusals.
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { generatedPackets, readFormed, recordedCase } from './cases.js'
import { type Detectors, LiveFormation } from './live.js'

const cbm = recordedCase('cbm')
const packets = cbm.packets.map((hex) => Buffer.from(hex, 'hex'))

describe('event formation, live', () => {
  it('sends what the field sends, copies raw packets, tells counts, and ends with all that it was given', async () => {
    const live = await LiveFormation.open(
      ({ names, ports }) => `[services.event_formation.detectors.monitors]
family = "cbm"
topic = "${names.events}"
host = "127.0.0.1"
port = ${ports[0]}
config_file = "cbm.json"
mode = "compatible"
update_ms = 60000
raw_topic = "${names.raw}"
raw_every = 5
raw_consecutive = 2
`,
      { 'cbm.json': cbm.config }
    )
    try {
      await live.up()
      await live.send(packets)
      const { detectors } = await live.snapshot('all packets', (all) => all.detectors['monitors']?.['packets'] === 15)
      assert.deepEqual(detectors['monitors']?.['losses'], {
        kernel: 0,
        queue: 0,
        missing: 0,
        buffer: 0,
        kafka: 0,
        raw: 0,
        faults: 0
      })
      await live.control.wait(() => live.values(live.names.events).length === cbm.messages.length, 'the messages')
      const value = (buffer: Buffer) => ({ kind: 'events', source: '', value: buffer, events: 0 }) as const
      assert.deepEqual(live.values(live.names.events).map((one) => readFormed(value(one))), cbm.messages) // prettier-ignore
      // A heartbeat is the last packet: nothing is held but the histograms' last pulses
      const shown = await live.command('status', { job_id: 'monitors' })
      const { counters } = shown['result'] as { counters: Record<string, number> }
      assert.equal(counters['parser.essheader.heartbeats'], 1)
      assert.equal(counters['produce.cause.monitor_packets'], 6)
      await live.control.wait(() => live.values(live.names.raw).length === 6, 'the raw copies')

      // Event formation goes on with packets that are sent while it is told to stop
      await live.send(packets)
      const stopped = await live.command('stop')
      assert.equal(stopped['status'], 200, JSON.stringify(stopped))
      const done = await live.control.json((json) => json['event'] === 'event_formation_done', 'its end')
      const report = done['report'] as Record<string, number>
      assert.equal(report['packets'], 30)
      assert.equal(report['delivered_events'], report['events'])
    } finally {
      assert.equal(await live.close(), 0)
    }
  })

  it('loses nothing when it is told to end while packets wait', async () => {
    const live = await LiveFormation.open(
      ({ names, ports }) => `[services.event_formation.detectors.beer]
family = "beer"
topic = "${names.events}"
port = ${ports[0]}
config_file = "beer.json"
update_ms = 60000
`,
      { 'beer.json': recordedCase('cbm-beer').config }
    )
    const [first = ''] = recordedCase('cbm-beer').packets
    const packet = Buffer.from(first, 'hex')
    try {
      await live.up()
      await live.send(Array.from({ length: 500 }, () => packet))
      assert.equal(await live.opened.daemon.stop(), 0)
      const perPacket = recordedCase('cbm-beer').messages.slice(0, 2)
      const events = 500 * perPacket.reduce((sum, one) => sum + (one.schema === 'ev44' ? one.tof.length : 0), 0)
      await live.control.wait(() => live.events(live.names.events) === events, 'all events')
    } finally {
      await live.close()
    }
  })

  it('counts what the kernel dropped and what the sequence lacks, and is not ready then', async function () {
    if (process.platform !== 'linux') this.skip()
    const live = await LiveFormation.open(
      ({ names, ports }) => `[services.event_formation.detectors.beer]
family = "beer"
topic = "${names.events}"
host = "127.0.0.1"
port = ${ports[0]}
config_file = "beer.json"
receive_buffer_bytes = 65536
`,
      { 'beer.json': recordedCase('cbm-beer').config }
    )
    const { pid } = live.opened.daemon
    try {
      await live.up()
      const all = await generatedPackets(recordedCase('cbm-beer'), { seed: 1, pulses: 20, packets: 30, readouts: 50, loss: 0, startNs: 1_700_000_000_000_000_000n }) // prettier-ignore
      const [first, last] = [all[0]!, all.at(-1)!]
      await live.send([first.bytes])
      await live.snapshot('the first packet', ({ detectors }) => detectors['beer']?.['packets'] === 1)
      process.kill(pid, 'SIGSTOP')
      await live.send(all.slice(1, -1).map(({ bytes }) => bytes))
      process.kill(pid, 'SIGCONT')
      type Counted = { packets: number; events: number; delivered_events: number; losses: Record<string, number> }
      const settled = ({ detectors }: Detectors): boolean => {
        const { packets, losses } = detectors['beer'] as unknown as Counted
        return packets > 1 && packets + losses['kernel']! === all.length - 1
      }
      await live.snapshot('all packets or their loss', settled)
      await live.send([last.bytes])
      const { not_ready: reasons } = await live.snapshot('what is missing', ({ detectors, not_ready }) => (detectors['beer'] as unknown as Counted).losses['missing']! > 0 && not_ready.length > 0) // prettier-ignore
      assert.match(
        reasons[0] ?? '',
        /detector beer loses data: so far \d+ packets in the kernel, 0 in the ring, \d+ missing/
      )
      const { result } = await live.command('stop', { job_id: 'beer' })
      const [report] = (result as { detectors: Counted[] }).detectors
      assert.ok(report!.losses['kernel']! > 0)
      assert.equal(report!.packets + report!.losses['kernel']!, all.length)
      assert.equal(report!.losses['missing'], report!.losses['kernel'])
      assert.equal(report!.events, 50 * (report!.packets - 1))
      await live.control.wait(() => live.events(live.names.events) === report!.events, 'all events')
    } finally {
      process.kill(pid, 'SIGCONT')
      assert.equal(await live.close(), 0)
    }
  })

  it('says what it cannot start, and starts what it can', async () => {
    const live = await LiveFormation.open(() => '', { 'cbm.json': cbm.config, 'no.json': { Detector: 'CBM' } })
    const taken = createSocket('udp4')
    try {
      await live.up()
      taken.bind(live.ports[1], '127.0.0.1')
      await once(taken, 'listening')
      const start = async (keys: Record<string, unknown>): Promise<string> => {
        const base = { family: 'cbm', topic: live.names.events, host: '127.0.0.1', port: live.ports[0], config_file: 'cbm.json' } // prettier-ignore
        const reply = await live.command('start', { ...base, ...keys })
        const [error] = (reply['errors'] ?? []) as { code: string; path?: string }[]
        return error === undefined ? String(reply['status']) : `${error.code} ${error.path ?? ''}`
      }
      assert.equal(await start({ port: live.ports[1] }), 'PORT_FAILED /port')
      assert.equal(await start({ family: 'stranger' }), 'READOUT_UNKNOWN /family')
      assert.equal(await start({ config_file: 'no.json' }), 'DETECTOR_INVALID /config/MaxFENId')
      assert.equal(await start({ config_file: '../../etc/passwd' }), 'FILE_PATH /config_file')
      assert.equal(await start({ config_file: 'nexstream.toml' }), 'FILE_READ /config_file')
      assert.equal(await start({ topic: 'nowhere' }), 'TOPIC_MISSING /topic')
      assert.equal(await start({ raw_only: true }), 'COMMAND_INVALID /raw_only')
      assert.equal(await start({}), '201')
      assert.equal(await start({ port: live.ports[2] }), 'JOB_EXISTS /')

      // Raw copies in place of events, and back; a file that does not fit changes nothing
      const refused = await live.command('config', { config: { Detector: 'CBM' } })
      assert.equal(refused['response'], 'ERR')
      await live.send(packets)
      await live.control.wait(() => live.events(live.names.events) > 0, 'events')
    } finally {
      taken.close()
      assert.equal(await live.close(), 0)
    }
  })

  it('does not start with a detector that cannot be received', async () => {
    const live = await LiveFormation.open(
      ({ names, ports }) => `[services.event_formation.detectors.monitors]
family = "cbm"
topic = "${names.events}"
port = ${ports[0]}
config_file = "missing.json"
`
    )
    try {
      assert.notEqual(await live.opened.daemon.exited, 0)
    } finally {
      await live.close()
    }
  })
})
