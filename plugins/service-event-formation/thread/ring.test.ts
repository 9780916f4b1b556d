import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { freePorts } from '../../tools-dev/fetched/ports.js'
import { packetBytes } from '../form/packet-memory.js'
import { RingReader, ringMemory, RingWriter } from './ring.js'
import { RingSource } from './ring-source.js'

describe('the ring', () => {
  it('gives packets in their order, each where its readouts are aligned', () => {
    const memory = ringMemory(packetBytes(100), true)
    const [writer, reader] = [new RingWriter(memory), new RingReader(memory)]
    const bytes = new Uint8Array(memory.packets)
    const read: string[] = []
    for (let n = 0; n < 10_000; n++) {
      const packet = Uint8Array.from({ length: 40 + (n % 50) }, () => n & 255)
      packet[1] = n % 2
      writer.put(packet)
      if (n % 7 !== 0) continue
      reader.read(100, (place, at, length) => {
        assert.equal(place % 8, 0)
        assert.equal(at - place, bytes[at + 1] === 0 ? 2 : 0)
        read.push(`${bytes[at]} ${length}`)
      })
    }
    reader.read(100, (_place, at, length) => read.push(`${bytes[at]} ${length}`))
    assert.deepEqual(read, Array.from({ length: 10_000 }, (_, n) => `${n & 255} ${40 + (n % 50)}`)) // prettier-ignore
    assert.equal(reader.drops, 0)
  })

  it('counts what has no room, and of what is too large it tells the length', () => {
    const memory = ringMemory(packetBytes(100), false)
    const [writer, reader] = [new RingWriter(memory), new RingReader(memory)]
    for (let n = 0; n < 3000; n++) writer.put(new Uint8Array(n === 0 ? 5000 : 10))
    assert.equal(reader.drops, 3000 - 2048)
    const lengths: number[] = []
    while (reader.read(500, (_place, _at, length) => lengths.push(length)) > 0);
    assert.equal(lengths.length, 2048)
    assert.deepEqual(lengths.slice(0, 2), [5000, 10])
    writer.put(new Uint8Array(3))
    assert.equal(
      reader.read(10, () => undefined),
      1
    )
  })

  it('is filled by a thread of its own, also while this one is held up, and is empty at the end', async () => {
    const [port = 0] = await freePorts(1)
    const sender = createSocket('udp4')
    const memory = ringMemory(packetBytes(9000), false)
    const bytes = new Uint8Array(memory.packets)
    const numbers: number[] = []
    const source = await RingSource.open(
      { host: '127.0.0.1', port, bufferBytes: 4 << 20 },
      memory,
      (_place, at) => numbers.push(bytes[at]! + 256 * bytes[at + 1]!),
      assert.fail
    )
    const send = (n: number): Promise<void> =>
      new Promise((resolve, reject) =>
        sender.send(Buffer.from([n & 255, n >> 8]), port, '127.0.0.1', (error) => (error ? reject(error) : resolve()))
      )
    const head = new Int32Array(memory.control)
    for (let n = 0; n < 200; n++) await send(n)
    // This thread reads none of them meanwhile; no more of them wait in the socket than it has room for
    const until = performance.now() + 60_000
    while (Atomics.load(head, 0) < 200 && performance.now() < until) Atomics.wait(head, 0, Atomics.load(head, 0), 20)
    assert.equal(Atomics.load(head, 0), 200)
    for (let n = 200; n < 400; n++) await send(n)
    await source.close()
    sender.close()
    assert.equal(source.drops() + source.queueDrops(), 0)
    assert.deepEqual(numbers, Array.from({ length: 400 }, (_, n) => n)) // prettier-ignore
  }).timeout(90_000)

  it('says why a port cannot be opened', async () => {
    const [port = 0] = await freePorts(1)
    const taken = createSocket('udp4')
    await new Promise<void>((resolve) => taken.bind(port, '127.0.0.1', resolve))
    const opening = RingSource.open({ host: '127.0.0.1', port, bufferBytes: 65_536 }, ringMemory(1024, false), () => undefined, assert.fail) // prettier-ignore
    await assert.rejects(opening, { code: 'PORT_FAILED', path: '/port' })
    taken.close()
  })
})
