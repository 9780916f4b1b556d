// `nexstream play --udp`: packets of captures and raw copies of topics come out of the network again, in order, none too early.
import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectKafka } from '../../core/kafka/client.js'
import { encodeMessage } from '../../schemas/index.js'
import { nexstream } from '../cli/child.js'
import { kafka, testTopics } from '../support/kafka.js'
import { type Captured, frameOf, pcap, pcapng } from './captures.js'

const T0_US = 1_760_000_000_000_000

describe('nexstream play by UDP', function () {
  this.timeout(120_000)
  let folder: string
  let socket: Socket
  let came: string[]
  let cameMs: number[]
  let to: string
  const waiting = new Set<() => void>()

  before(() => (folder = mkdtempSync(join(tmpdir(), 'nexstream-play-udp-'))))
  after(() => rmSync(folder, { recursive: true, force: true }))
  beforeEach(async () => {
    ;[came, cameMs] = [[], []]
    socket = createSocket('udp4').on('message', (packet) => {
      cameMs.push(performance.now())
      came.push(packet.toString())
      for (const wake of waiting) wake()
    })
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    to = `127.0.0.1:${socket.address().port}`
  })
  afterEach(() => void socket.close())

  const arrive = async (count: number): Promise<readonly string[]> => {
    while (came.length < count)
      await new Promise<void>((resolve) => waiting.add(resolve)).finally(() => waiting.clear())
    return came
  }
  const write = (name: string, bytes: Buffer): string => {
    const file = join(folder, name)
    writeFileSync(file, bytes)
    return file
  }
  const captured = (n: number, port = 9000): Captured => ({ timeUs: T0_US + n * 1000, port, payload: Buffer.from(`packet ${n}`) }) // prettier-ignore
  const framed = (one: Captured, kind?: Parameters<typeof frameOf>[1]): readonly [number, Buffer] => [one.timeUs, frameOf(one, kind)] // prettier-ignore

  it('sends what a capture has, in each of its formats', async () => {
    const kinds = ['ipv4', 'ipv6', 'vlan', 'tcp', 'fragment'] as const
    const frames = kinds.map((kind, i) => framed(captured(i), kind))
    const cut: readonly [number, Buffer] = [T0_US + 9000, frameOf(captured(9)).subarray(0, 50)]
    const files = [
      write('little.pcap', pcap([...frames, cut])),
      write('big.pcap', pcap([...frames, cut], true)),
      write('ng.pcapng', pcapng([...frames, cut]))
    ]
    for (const file of files) {
      came.length = 0
      const { stdout: out } = await nexstream(['play', file, '--udp', to, '--speed', 'max', '--json'])
      assert.deepEqual(await arrive(3), ['packet 0', 'packet 1', 'packet 2'], file)
      const report = JSON.parse(out) as Record<string, unknown>
      assert.deepEqual([report['sent'], report['left'], report['rounds']], [3, 0, 1])
      assert.deepEqual(report['passed_over'], {
        'frames that are no UDP': 1,
        'fragments of datagrams': 1,
        'datagrams that were not captured whole': 1
      })
    }
  })

  it('sends frames without a time right behind those with one', async () => {
    const file = write('simple.pcapng', pcapng([framed(captured(0))], [frameOf(captured(1)), frameOf(captured(2))]))
    // Its times are those of the only one that has one: a moment later would be too late
    const span = ['--from', new Date(T0_US / 1000).toISOString(), '--to', new Date(T0_US / 1000).toISOString()]
    await nexstream(['play', file, '--udp', to, ...span])
    assert.deepEqual(await arrive(3), ['packet 0', 'packet 1', 'packet 2'])
  })

  it('keeps the times of a capture, sends one port of several, and only what lies in a span', async () => {
    const frames = [framed(captured(0)), framed(captured(1, 9001)), framed(captured(600))]
    const file = write('two.pcap', pcap(frames))
    const refused = await nexstream(['play', file, '--udp', to])
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /ports 9000 \(2\), 9001 \(1\); say which by --port/)
    await nexstream(['play', file, '--udp', to, '--port', '9000', '--speed', '0.5'])
    assert.deepEqual(await arrive(2), ['packet 0', 'packet 600'])
    // 1200 ms lie between them; the first may be seen late
    assert.ok((cameMs[1] ?? 0) - (cameMs[0] ?? 0) >= 200, cameMs.join())
    const from = new Date(T0_US / 1000 + 100).toISOString()
    await nexstream(['play', file, '--udp', to, '--port', '9000', '--from', from])
    assert.equal((await arrive(3)).at(-1), 'packet 600')
  })

  it('refuses what holds no packets', async () => {
    const empty = await nexstream(['play', write('empty.pcap', pcap([])), '--udp', to])
    assert.match(empty.stderr, /no datagram to play/)
    const strange = await nexstream(['play', write('strange.pcap', Buffer.from('this is no capture at all, not one')), '--udp', to]) // prettier-ignore
    assert.match(strange.stderr, /neither pcap nor pcapng/)
    assert.match((await nexstream(['play', join(folder, 'little.pcap')])).stderr, /--udp host:port/)
    // No name may have an empty part
    const lost = await nexstream(['play', join(folder, 'little.pcap'), '--udp', 'a..b:9000'])
    assert.deepEqual([lost.code, /^CLI_USAGE: --udp a\.\.b:9000: /.test(lost.stderr)], [2, true], lost.stderr)
  })

  it('sends the raw copies of a topic', async () => {
    const { brokers } = await kafka()
    const { raw } = await testTopics(['raw'])
    const client = connectKafka({ brokers })
    const producer = client.producer()
    for (let n = 0; n < 3; n++) {
      const value = encodeMessage('ar51', { source_name: 'loki', message_id: n, raw_data: Buffer.from(`copy ${n}`) })
      producer.send({ topic: raw, value: n === 1 ? Buffer.from('no message') : value })
    }
    await producer.close()
    await client.close()
    const named = to.replace('127.0.0.1', 'localhost')
    const { stdout: out } = await nexstream([
      'play',
      `${brokers[0]}/${raw}`,
      '--udp',
      named,
      '--speed',
      'max',
      '--json'
    ])
    assert.deepEqual(await arrive(2), ['copy 0', 'copy 2'])
    assert.deepEqual((JSON.parse(out) as Record<string, unknown>)['passed_over'], { 'messages that are no raw copies (ar51)': 1 }) // prettier-ignore
  })
})
