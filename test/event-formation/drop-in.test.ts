// In the place of the field's program: its options, its command port, its names in Graphite, and heartbeats beside.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodeJson, schemaId } from '../../schemas/index.js'
import { Control, type Said } from '../support/control.js'
import { kafka as startKafka, testTopics } from '../support/kafka.js'
import { freePorts } from '../../plugins/tools-dev/fetched/ports.js'
import { recordedCase } from './cases.js'

const cli = fileURLToPath(new URL('../../commands/cli/main.js', import.meta.url))
const beer = recordedCase('cbm-beer')
const packets = beer.packets.map((hex) => Buffer.from(hex, 'hex'))

/** Asks one thing after the other; each answer comes in one piece. */
class CommandClient {
  private constructor(readonly socket: Socket) {}

  static async open(port: number): Promise<CommandClient> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return new CommandClient(socket)
  }

  async ask(request: string): Promise<string> {
    this.socket.write(request)
    const [answer] = (await once(this.socket, 'data')) as [Buffer]
    return answer.toString()
  }
}

describe('nexstream efu', () => {
  it('stands in for the field\u2019s program', async () => {
    const { brokers } = await startKafka()
    const topics = await testTopics(['events', 'samples', 'status'])
    const [port = 0, commandPort = 0] = await freePorts(2)
    const folder = mkdtempSync(join(tmpdir(), 'nexstream-drop-in-'))
    const file = join(folder, 'beer.json')
    writeFileSync(file, JSON.stringify(beer.config))
    let lines = ''
    const carbon = createServer((socket) => socket.on('data', (data) => (lines += data.toString())).on('error', () => undefined)) // prettier-ignore
    carbon.listen(0, '127.0.0.1')
    await once(carbon, 'listening')
    const control = await Control.open(brokers, topics.status, [topics.status, topics.events])
    const args = ['efu', '--file', file, '-b', brokers.join(','), '-t', topics.events, '--ar51_topic', topics.samples, '-i', '127.0.0.1', '-p', String(port), '-m', String(commandPort), '-g', '127.0.0.1', '-o', String((carbon.address() as AddressInfo).port), '-r', 'north', '--updateinterval', '0.05', '--nohwcheck', '--status_topic', topics.status] // prettier-ignore
    const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.on('data', (data: Buffer) => (said += data.toString()))
    const exited = once(child, 'close') as Promise<[number | null]>
    const udp = createSocket('udp4')
    try {
      const heartbeat = control.wait(({ value }) => schemaId(value) === 'x5f2', 'a heartbeat', 60_000)
      const ended = exited.then(([code]) => Promise.reject(new Error(`it ended with ${String(code)}: ${said}`)))
      const { value } = await Promise.race([heartbeat, ended])
      assert.equal(decodeJson(value).message['service_id'], 'efu.beer.north')
      assert.match(said, /passed over: --nohwcheck/)
      for (const packet of packets) await new Promise((resolve) => udp.send(packet, port, '127.0.0.1', resolve))
      const events = beer.messages.reduce((sum, one) => sum + (one.schema === 'ev44' ? one.tof.length : 0), 0)
      const tofs = ({ topic, value }: Said): number =>
        topic === topics.events ? (decodeJson(value).message['time_of_flight'] as unknown[]).length : 0
      await control.wait(() => control.said.reduce((sum, one) => sum + tofs(one), 0) === events, 'all events')
      await control.json((json) => {
        type One = { packets: number; delivered_events: number }
        const { detectors } = (json['services'] as { event_formation?: { detectors: Record<string, One> } } | undefined)?.event_formation ?? {} // prettier-ignore
        return detectors?.['beer']?.packets === packets.length && detectors['beer'].delivered_events === events
      }, 'the counts')

      const client = await CommandClient.open(commandPort)
      assert.match(await client.ask('VERSION_GET\n'), /^VERSION_GET \d+\.\d+\.\d+ nexstream$/)
      assert.equal(await client.ask('DETECTOR_INFO_GET'), 'DETECTOR_INFO_GET beer')
      assert.equal(await client.ask('CMD_GET_COUNT\n'), 'CMD_GET_COUNT 11')
      assert.equal(await client.ask('CMD_GET 1\0'), 'CMD_GET CALIB_MODE_GET')
      assert.equal(
        await client.ask('STAT_GET_NAME receive.packets\n'),
        `STAT_GET_NAME receive.packets ${packets.length}`
      )
      assert.equal(await client.ask('STAT_GET_NAME no.such\n'), 'STAT_GET_NAME no.such -1')
      assert.equal(await client.ask('STAT_GET 1\n'), `STAT_GET efu.beer.north.receive.packets ${packets.length}`)
      assert.equal(await client.ask('STAT_GET 0\n'), 'STAT_GET  -1')
      assert.match(await client.ask('STAT_GET_COUNT\n'), /^STAT_GET_COUNT [3-9]\d$/)
      assert.match(await client.ask('RUNTIMESTATS\n'), /^RUNTIMESTATS [0-7]$/)
      assert.equal(await client.ask('CALIB_MODE_GET\n'), 'CALIB_MODE_GET 0')
      assert.equal(await client.ask('CALIB_MODE_SET 1\n'), '<OK>')
      assert.equal(await client.ask('CALIB_MODE_GET\n'), 'CALIB_MODE_GET 1')
      assert.equal(await client.ask('CALIB_MODE_SET 2\n'), 'Error: <BADARGS>')
      assert.equal(await client.ask('CALIB_MODE_SET\n'), 'Error: <BADARGS>')
      assert.equal(await client.ask('constructor\n'), 'Error: <BADCMD>')
      assert.equal(await client.ask('\n'), 'Error: <BADSIZE>')
      assert.equal(await client.ask('EXIT\n'), '<OK>')
      assert.deepEqual(await exited, [0, null], said)
      const sent = new Map(lines.split('\n').map((line) => line.split(' ') as [string, string]))
      assert.equal(sent.get('efu.beer.north.receive.packets'), String(packets.length))
      assert.equal(sent.get('efu.beer.north.parser.essheader.errors.size'), '0')
      assert.ok(Number(sent.get('efu.beer.north.main.uptime')) >= 0)
    } finally {
      child.kill('SIGTERM')
      udp.close()
      carbon.close()
      await exited
      await control.close()
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('ends with a code other than 0 when it cannot start', async () => {
    const child = spawn(process.execPath, [cli, 'efu', '--file', 'nowhere.json'], {
      stdio: ['ignore', 'ignore', 'pipe']
    })
    const [code] = (await once(child, 'close')) as [number | null]
    assert.notEqual(code, 0)
  })
})
