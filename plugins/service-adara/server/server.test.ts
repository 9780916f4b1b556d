import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { LiveState } from '../live/state.js'
import { PacketCutter } from '../wire/cut.js'
import { formats, helloPacket } from '../wire/packets.js'
import { AdaraServer } from './server.js'

const MB = 1 << 20
const CLIENTS = 8

describe('clients of the live stream', function () {
  this.timeout(120_000)
  const sockets: Socket[] = []
  const logs: string[] = []
  let server: AdaraServer

  async function open(geometry: string, clientBufferBytes: number): Promise<number> {
    const state = new LiveState({ station: 1, id: '', short: 'X', long: 'X' }, geometry, () => 10n ** 18n)
    const options = { host: '127.0.0.1', port: 0, maxClients: CLIENTS, clientBufferBytes, helloMs: 60_000 }
    server = new AdaraServer(options, () => state.greeting(), (_, text) => logs.push(text)) // prettier-ignore
    return server.listen()
  }
  async function join(port: number): Promise<Socket> {
    const socket = connect(port, '127.0.0.1')
    sockets.push(socket)
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    socket.write(helloPacket(10n ** 18n))
    return socket
  }
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    logs.length = 0
    await server.close()
  })

  it('that do not read share what waits for them: in memory it is there once', async () => {
    const port = await open('x'.repeat(16 * MB), 64 * MB)
    const before = process.memoryUsage().arrayBuffers
    for (let i = 1; i <= CLIENTS; i++) {
      const socket = await join(port)
      socket.pause()
      while (server.clients.length < i) await new Promise((resolve) => setImmediate(resolve))
    }
    for (let i = 0; i < 32; i++) server.broadcast([Buffer.alloc(MB / 2), Buffer.alloc(MB / 2)])
    const waiting = server.clients.reduce((sum, { waitingBytes }) => sum + waitingBytes, 0)
    const grown = process.memoryUsage().arrayBuffers - before
    assert.ok(waiting > CLIENTS * 32 * MB, `only ${waiting} bytes wait`)
    // 32 MB were sent, and their parts before that may not have been collected
    assert.ok(grown < 80 * MB, `${waiting} bytes that wait have taken ${grown}`)
  })

  it('get their greeting whole, in its order', async () => {
    const port = await open('geometry', 64 * MB)
    const socket = await join(port)
    const heard: number[] = []
    const cutter = new PacketCutter(MB)
    for await (const bytes of socket) {
      cutter.push(bytes as Buffer, ({ format }) => heard.push(format))
      if (heard.includes(formats.runStatus)) break
    }
    assert.deepEqual(heard, [formats.beamline, formats.geometry, formats.runStatus])
  })

  it('whose greeting is larger than may wait are told apart from those that do not read', async () => {
    const port = await open('x'.repeat(MB), 65_536)
    const socket = await join(port)
    socket.resume()
    await once(socket, 'close')
    assert.match(
      logs.at(-1) ?? '',
      /is cut off: it would be greeted with 1048\d+ bytes; raise client_buffer_bytes, which is 65536$/
    )
  })
})
