// source-adara on a stream that Python packed, on damaged streams, and with service-adara: from Kafka to Kafka.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Context } from '../../core/api/plugin.js'
import { connectKafka } from '../../core/kafka/client.js'
import { loadPlugins, type Loaded } from '../../core/loader.js'
import { lookupOf } from '../../core/lookup.js'
import { packageRoot } from '../../core/root.js'
import { DaemonProcess } from '../../plugins/tools-dev/daemon-process.js'
import { decodeJson, encodeMessage, sourceOf, type Update } from '../../schemas/index.js'
import { Control } from '../support/control.js'
import { kafka as startKafka, testTopics } from '../support/kafka.js'
import { PATIENCE_MS } from '../support/patience.js'
import { freePorts } from '../../plugins/tools-dev/fetched/ports.js'
import { python } from '../support/python.js'

const START = 1_767_225_600_000_000_000n
const PULSE = 71_428_571n

describe('source adara', function () {
  this.timeout(200_000)
  let loaded: Loaded
  let golden: Buffer
  before(async () => {
    loaded = await loadPlugins({ plugins: [], baseFolder: packageRoot })
    golden = execFileSync(await python(), [join(packageRoot, 'test/support/python/adara.py')])
  })
  after(async () => loaded.close())

  interface Heard {
    readonly updates: Update[]
    readonly logs: string[]
    readonly until: (isThere: () => boolean) => Promise<void>
  }

  /** Channels on a server that greets each client with the bytes of its turn, once it has said hello. */
  async function hear(
    channels: readonly string[],
    turns: readonly Buffer[],
    use: (heard: Heard) => Promise<void>
  ): Promise<void> {
    // prettier-ignore
    const sockets: Socket[] = []
    let turn = 0
    const server: Server = createServer((socket) => {
      sockets.push(socket)
      socket.on('error', () => undefined)
      socket.once('data', (hello) => {
        assert.equal(hello.toString('hex', 0, 8), '0400000000064000')
        const bytes = turns[Math.min(turn++, turns.length - 1)] ?? Buffer.alloc(0)
        socket.write(bytes)
        if (turn < turns.length) socket.end()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const updates: Update[] = []
    const logs: string[] = []
    let wake = (): void => undefined
    const context: Context = { jobId: '', signal: new AbortController().signal, log: (_level, message) => void logs.push(message), count: () => undefined } // prettier-ignore
    const source = sourceOf(lookupOf(loaded.host), 'adara')
    assert.ok(source)
    const take = (update: Update): void => {
      updates.push(update)
      wake()
    }
    const open = channels.map((channel) => source.open({ channel, address: `127.0.0.1:${port}` }, context, take))
    const until = async (isThere: () => boolean): Promise<void> => {
      const end = performance.now() + PATIENCE_MS
      while (!isThere()) {
        if (performance.now() > end) throw new Error(`heard ${updates.map(({ source, kind }) => `${source} ${kind}`).join(', ')}`) // prettier-ignore
        await new Promise<void>((resolve) => {
          wake = resolve
          setTimeout(resolve, 500)
        })
      }
    }
    try {
      await use({ updates, logs, until })
    } finally {
      for (const one of open) await one.close()
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    }
  }

  const numbers = ({ bytes }: { bytes: Uint8Array }): number[] => [...new Int32Array(Uint8Array.from(bytes).buffer)]

  it('gives events, monitors, charge, run and values of the stream', async () => {
    await hear(
      ['events', 'bank:1', 'monitor:1', 'proton_charge', 'run_number', 'temperature', 'nobody'],
      [golden],
      async ({ updates, until }) => {
        // prettier-ignore
        await until(() => updates.filter(({ source, kind }) => source === 'run_number' && kind === 'value').length === 2)
        const of = (name: string): Update[] => updates.filter(({ source, kind }) => source === name && kind === 'value')
        const shown = (update: Update): unknown => [update.timestampNs, update.events && numbers(update.events.timeOfFlight), update.events && numbers(update.events.pixelId)] // prettier-ignore
        const pulses = [[START, [], []], [START + PULSE, [1_234_500], [1]], [START + 2n * PULSE, [1_234_500, 6_000_000], [1, 2]]] // prettier-ignore
        assert.deepEqual(of('events').map(shown), pulses)
        assert.deepEqual(of('bank:1').map(shown), pulses)
        assert.deepEqual(of('monitor:1').map(shown), [0n, 1n, 2n].map((n) => [START + n * PULSE, [5_000_000], [0]])) // prettier-ignore
        assert.deepEqual(of('proton_charge').map(({ value, units }) => [value, units]), [0, 1, 2].map(() => [15_000, 'pC'])) // prettier-ignore
        assert.deepEqual(of('run_number').map(({ value }) => value), [42, 0]) // prettier-ignore
        const [temperature] = of('temperature')
        assert.deepEqual([temperature?.value, temperature?.units, temperature?.timestampNs, temperature?.first], [281.5, 'K', START + 5n, true]) // prettier-ignore
        assert.ok(!updates.some(({ source }) => source === 'nobody'))
      }
    )
  })

  it('says once what data of a stream it does not read', async () => {
    const other = (format: number): Buffer => Buffer.from(Uint32Array.of(0, format, 0, 0).buffer)
    const bytes = Buffer.concat([0x400002, 0x400002, 0x800400, 0x400900, 0x410201].map(other))
    await hear(['temperature'], [Buffer.concat([bytes, golden])], async ({ updates, logs, until }) => {
      await until(() => updates.some(({ source, kind }) => source === 'temperature' && kind === 'value'))
      assert.deepEqual(logs.map((text) => /type (0x.*), which/.exec(text)?.[1]), ['0x4000, version 2', '0x8004, version 0']) // prettier-ignore
    })
  })

  it('comes back after a stream that broke, was cut in a packet, or is none', async () => {
    const none = Buffer.concat([golden.subarray(0, 28), Buffer.from(Uint32Array.of(7, 7, 7, 7).buffer)])
    // A bank of more events than there are
    const short = Buffer.from(golden)
    const events = short.indexOf(Buffer.from(Uint32Array.of(0x400001).buffer)) - 4
    short.writeUInt32LE(99, events + 16 + 16 + 16 + 4)
    await hear(
      ['temperature', 'events'],
      [golden.subarray(0, 1500), none, short, golden],
      async ({ updates, logs, until }) => {
        // prettier-ignore
        const isValue = ({ source, kind }: Update): boolean => source === 'temperature' && kind === 'value'
        await until(() => updates.some(({ events: record }) => record?.pixelId.length === 2))
        assert.ok(updates.filter(isValue).length >= 1 && updates.filter(isValue).every(({ first }) => first))
        assert.equal(logs.length, 3, logs.join('\n'))
        assert.match(logs.join('\n'), /it ended[^]*(a packet of 7 bytes|reset)[^]*(99 events|reset)/)
      }
    )
  })

  it('from Kafka by service-adara and back to Kafka by the forwarder, events stay as they are', async () => {
    const { brokers } = await startKafka()
    const names = await testTopics(['commands', 'status', 'in', 'out', 'values'])
    const [port = 0] = await freePorts(1)
    const folder = mkdtempSync(join(tmpdir(), 'nexstream-adara-'))
    writeFileSync(join(folder, 'idf.xml'), '<x/>')
    const at = `protocol = "adara", source_options = { address = "127.0.0.1:${port}" }`
    const config = join(folder, 'nexstream.toml')
    writeFileSync(
      config,
      `[daemon]
builtin_plugins = ["service-adara", "service-forwarder", "source-adara", "converter-events", "converter-logs", "converter-al00", "converter-connection", "converter-pu00", "reporter-json"]
[kafka]
brokers = ${JSON.stringify(brokers)}
[commands]
topic = "${names.commands}"
[status]
topic = "${names.status}"
[services.adara]
port = ${port}
instrument = "X"
geometry = "${folder}/idf.xml"
gather_ms = 2000
heartbeat_ms = 100
events = [{ topic = "${names.in}", source = "a" }, { topic = "${names.in}", source = "b" }]
[services.forwarder]
streams = [
  { channel = "events", source_name = "all", converter = "ev44", topic = "${names.out}", lossless = true, ${at} },
  { channel = "bank:2", converter = "ev42", topic = "${names.out}", lossless = true, ${at} },
  { channel = "run_number", converter = "f144", topic = "${names.values}", ${at} },
]
`
    )
    const control = await Control.open(brokers, names.commands, [names.status, names.out, names.values])
    const daemon = new DaemonProcess([config], process.env, join(folder, 'log'))
    const kafka = connectKafka({ brokers: [...brokers] })
    const producer = kafka.producer({ lingerMs: 0 })
    try {
      const heard = control.wait(({ id }) => id === 'f144', 'the run number') // The forwarder has joined
      await Promise.race([heard, daemon.crash()])
      // Told in units of 100 ns
      const time = BigInt(Date.now()) * 1_000_000n
      const send = (source_name: string, tof: number[], pixel_id: number[]): boolean =>
        producer.send({ topic: names.in, value: encodeMessage('ev44', { source_name, message_id: 1n, reference_time: [time], reference_time_index: [0], time_of_flight: tof, pixel_id }) }) // prettier-ignore
      send('a', [100, 12_300], [1, 2])
      send('b', [400], [70_000])
      const message = async (id: string): Promise<Record<string, unknown>> =>
        decodeJson((await control.wait((said) => said.id === id, id)).value).message
      const back = await message('ev44')
      assert.deepEqual([back['source_name'], back['reference_time'], back['time_of_flight'], back['pixel_id']], ['all', [String(time)], [100, 12_300, 400], [1, 2, 70_000]]) // prettier-ignore
      const bank = await message('ev42')
      assert.deepEqual([bank['pulse_time'], bank['time_of_flight'], bank['detector_id']], [String(time), [400], [70_000]]) // prettier-ignore
    } finally {
      await daemon.stop()
      await control.close()
      await producer.close()
      await kafka.close()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
