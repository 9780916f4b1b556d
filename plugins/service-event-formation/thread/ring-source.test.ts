import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import { freePorts } from '../../tools-dev/fetched/ports.js'
import { addressNumber } from '../readout-kit.js'
import { packetBytes } from '../form/packet-memory.js'
import { RingSource } from './ring-source.js'
import { type RingMemory, ringMemory, type TakeFromRing } from './ring.js'
import { SystemCalls } from './system-calls.js'

const bufferBytes = 4 << 20

/** This thread does nothing meanwhile. */
const holdUp = (ms: number): unknown => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

const send = (socket: Socket, packet: Uint8Array, port: number, host = '127.0.0.1'): Promise<void> =>
  new Promise((resolve, reject) => socket.send(packet, port, host, (error) => (error ? reject(error) : resolve())))

for (const receiveBy of ['dgram', 'auto'] as const)
  describe(`packets of a thread that receives by ${receiveBy === 'auto' ? 'recvmmsg' : receiveBy}`, () => {
    let port = 0
    const open = (host: string, ring: RingMemory, take: TakeFromRing): Promise<RingSource> =>
      RingSource.open({ host, port, bufferBytes, ring, receiveBy }, take, assert.fail)

    before(async function () {
      const calls = await SystemCalls.open()
      if (receiveBy === 'auto' && typeof calls === 'string') this.skip()
    })
    beforeEach(async () => {
      ;[port = 0] = await freePorts(1)
    })

    it('are all there at the end, also while this one is held up', async () => {
      const sender = createSocket('udp4')
      const ring = ringMemory(packetBytes(9000), false)
      const bytes = new Uint8Array(ring.packets)
      const numbers: number[] = []
      const senders = new Set<number>()
      const source = await open('127.0.0.1', ring, (_place, at, _length, from) => {
        senders.add(from)
        numbers.push(bytes[at]! + 256 * bytes[at + 1]!)
      })
      assert.equal(source.by, receiveBy === 'auto' ? 'recvmmsg' : 'dgram')
      const number = (n: number): Uint8Array => Buffer.from([n & 255, n >> 8])
      const head = new Int32Array(ring.control)
      for (let n = 0; n < 200; n++) await send(sender, number(n), port)
      // This thread reads none of them meanwhile; no more of them wait in the socket than it has room for
      const until = performance.now() + 60_000
      while (Atomics.load(head, 0) < 200 && performance.now() < until) Atomics.wait(head, 0, Atomics.load(head, 0), 20)
      assert.equal(Atomics.load(head, 0), 200)
      for (let n = 200; n < 400; n++) await send(sender, number(n), port)
      await source.close()
      sender.close()
      assert.equal(source.drops() + source.queueDrops(), 0)
      assert.deepEqual([...senders], [addressNumber('127.0.0.1')])
      assert.deepEqual(numbers, Array.from({ length: 400 }, (_, n) => n)) // prettier-ignore
    }).timeout(90_000)

    it('lie where their readouts are aligned; of one that is too long only the length is told', async () => {
      const sender = createSocket('udp4')
      const ring = ringMemory(packetBytes(100), true)
      const bytes = new Uint8Array(ring.packets)
      const came: (readonly [version: number | undefined, shift: number, length: number, last: number | undefined])[] =
        []
      const source = await open('127.0.0.1', ring, (place, at, length) => {
        if (length > 100) came.push([undefined, 0, length, undefined])
        else if (length === 0) came.push([undefined, 0, 0, undefined])
        else came.push([bytes[at + 1], at - place, length, bytes[at + length - 1]])
      })
      const packets = [0, 0, 1, 0, 1, 1, 0].map((version, n) => Uint8Array.from({ length: 40 + n }, (_, at) => (at === 1 ? version : n))) // prettier-ignore
      packets.push(new Uint8Array(5000), new Uint8Array(0))
      for (let round = 0; round < 20; round++) for (const packet of packets) await send(sender, packet, port)
      await source.close()
      sender.close()
      const wanted = packets.map((packet, n) => (n < 7 ? [packet[1], packet[1] === 0 ? 2 : 0, 40 + n, n] : [undefined, 0, packet.length, undefined])) // prettier-ignore
      assert.deepEqual(came, Array.from({ length: 20 }, () => wanted).flat()) // prettier-ignore
    })

    it('come to a name, and to a group of IPv6', async function () {
      const isOutward = ({ family, internal }: NetworkInterfaceInfo): boolean => family === 'IPv6' && !internal
      const [name] = Object.entries(networkInterfaces()).find(([, all]) => all?.some(isOutward)) ?? []
      const hosts = ['localhost', ...(name === undefined ? [] : [`ff11::6e78%${name}`])]
      for (const host of hosts) {
        let came = 0
        const source = await open(host, ringMemory(1024, false), () => came++)
        const sender = createSocket(host === 'localhost' ? 'udp4' : 'udp6')
        if (host !== 'localhost') {
          await new Promise<void>((resolve) => sender.bind(0, '::', resolve))
          sender.setMulticastInterface(`::%${name}`)
        }
        await send(sender, Buffer.from('to all'), port, host)
        await source.close()
        sender.close()
        assert.equal(came, 1, host)
      }
    })

    it('cannot come at a port that another has', async () => {
      const taken = createSocket('udp4')
      await new Promise<void>((resolve) => taken.bind(port, '127.0.0.1', resolve))
      await assert.rejects(open('127.0.0.1', ringMemory(1024, false), () => undefined), { code: 'PORT_FAILED', path: '/port', message: /EADDRINUSE/ }) // prettier-ignore
      taken.close()
    })

    // By dgram they are taken from the kernel whatever waits
    if (receiveBy !== 'dgram')
      it('wait in the kernel while the ring is full', async () => {
        const sender = createSocket('udp4')
        // Four slots
        const ring = ringMemory(5 << 20, false)
        const bytes = new Uint8Array(ring.packets)
        const came: (number | undefined)[] = []
        const source = await open('127.0.0.1', ring, (_place, at) => came.push(bytes[at]))
        for (let n = 0; n < 200; n++) {
          if (n % 50 === 0) holdUp(20)
          await send(sender, Uint8Array.of(n), port)
        }
        await source.close()
        sender.close()
        assert.equal(source.drops() + source.queueDrops(), 0)
        assert.deepEqual(came, Array.from({ length: 200 }, (_, n) => n)) // prettier-ignore
      })
  })
