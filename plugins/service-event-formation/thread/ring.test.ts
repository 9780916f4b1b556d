import assert from 'node:assert/strict'
import { packetBytes } from '../form/packet-memory.js'
import { RingReader, ringMemory, RingWriter } from './ring.js'

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
})
