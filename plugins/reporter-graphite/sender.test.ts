import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { NetworkSender } from './sender.js'

/** A server that keeps what it gets. */
class Sink {
  got = ''
  readonly sockets = new Set<Socket>()
  server: Server | undefined
  #wanted: { readonly text: string; readonly found: () => void } | undefined

  async open(port = 0): Promise<number> {
    this.server = createServer((socket) => {
      this.sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => this.sockets.delete(socket))
      socket.on('data', (data) => {
        this.got += data.toString()
        if (this.#wanted !== undefined && this.got.includes(this.#wanted.text)) this.#wanted.found()
      })
    }).listen(port, '127.0.0.1')
    await once(this.server, 'listening')
    return (this.server.address() as AddressInfo).port
  }
  async hears(text: string): Promise<void> {
    if (!this.got.includes(text)) await new Promise<void>((found) => (this.#wanted = { text, found }))
  }
  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    await new Promise((resolve) => this.server?.close(resolve))
  }
}

describe('sender', function () {
  this.timeout(30_000)
  const said: string[] = []
  const told = (level: string, message: string): void => void said.push(`${level} ${message}`)
  const sink = new Sink()
  let sender: NetworkSender | undefined

  beforeEach(() => (said.length = 0))
  afterEach(async () => {
    await sender?.close(0)
    await sink.close()
    sink.got = ''
  })

  it('sends in order over one connection and, when it closes, what still waits', async () => {
    sender = new NetworkSender({ host: '127.0.0.1', port: await sink.open(), most: 1000, told })
    for (let i = 0; i < 500; i++) sender.push(Buffer.from(`${i}\n`))
    await sink.hears('499\n')
    assert.equal(sink.sockets.size, 1)
    sender.push(Buffer.from('last\n'))
    await sender.close(10_000)
    await sink.hears('last\n')
    assert.equal(sink.got, [...Array.from({ length: 500 }, (_, i) => i), 'last', ''].join('\n'))
    assert.deepEqual([sender.sent, sender.dropped, said], [501, 0, []])
  })

  it('keeps a bounded queue while nobody is there, tells so once, and goes on when the server is back', async () => {
    const port = await sink.open()
    await sink.close()
    sender = new NetworkSender({ host: '127.0.0.1', port, most: 100, told })
    for (let i = 0; i < 1000; i++) sender.push(Buffer.from(`${i}\n`))
    assert.ok(sender.waiting <= 125)
    while (said.length === 0) await new Promise((resolve) => setImmediate(resolve))
    await sink.open(port)
    await sink.hears('999\n')
    while (sender.waiting > 0) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(sender.sent + sender.dropped, 1000)
    assert.ok(sender.sent >= 100 && sender.sent <= 125)
    assert.equal(sink.got.split('\n').length - 1, sender.sent)
    assert.equal(said.length, 2)
    assert.match(said[0] ?? '', /^warn 127\.0\.0\.1:\d+ takes nothing: .*ECONNREFUSED.*; tried again every 2 s$/)
    assert.match(said[1] ?? '', /^info 127\.0\.0\.1:\d+ is back; \d+ were dropped meanwhile$/)
  })

  it('connects again after the server ended the connection', async () => {
    sender = new NetworkSender({ host: '127.0.0.1', port: await sink.open(), most: 100, told })
    sender.push(Buffer.from('before\n'))
    await sink.hears('before\n')
    for (const socket of sink.sockets) socket.destroy()
    while (sender.state !== 'away') await new Promise((resolve) => setImmediate(resolve))
    sender.push(Buffer.from('after\n'))
    await sink.hears('after\n')
    assert.equal(sink.got, 'before\nafter\n')
  })
})
