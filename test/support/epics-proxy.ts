// A proxy between an EPICS client and a real server: answers every search with itself, shows and changes what the server says.
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

export interface EpicsProxy {
  /** EPICS_* variables with which a client finds the proxy and nothing else. */
  readonly env: Readonly<Record<string, string>>
  readonly tcpPort: number
  readonly udpPort: number
  /** UDP port from which the client searched last; 0: not yet. */
  readonly clientPort: number
  /** TCP connections so far. */
  readonly connections: number
  /** Called for every chunk from the server; returns what the client gets. */
  onServer: (chunk: Buffer) => Buffer
  /** Called for every chunk from the client; returns what the server gets. */
  onClient: (chunk: Buffer) => Buffer
  /** Tells the server of the newest connection something. */
  toServer(bytes: Buffer): void
  /** From now on the connections of now say nothing more, but stay open: a host that went away. New ones work. */
  stall(): void
  /** Ends all connections. */
  cut(): void
  stop(): Promise<void>
}

/** `server`: host:port of the real server. `name`: only searches for names that it accepts are answered. */
export async function startProxy(
  protocol: 'ca' | 'pva',
  server: string,
  accepts: (name: string) => boolean = () => true
): Promise<EpicsProxy> {
  const [host = '', port = ''] = server.split(':')
  const sockets = new Set<Socket>()
  const proxy = {
    onServer: (chunk: Buffer) => chunk,
    onClient: (chunk: Buffer) => chunk,
    connections: 0,
    clientPort: 0
  }
  const silent = new WeakSet<Socket>()
  let newest: Socket | undefined
  const tcp: Server = createServer((client) => {
    proxy.connections++
    const upstream = connect({ host, port: Number(port), noDelay: true })
    newest = upstream
    for (const [socket, other] of [[client, upstream], [upstream, client]] as const) {
      sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    } // prettier-ignore
    client.on('data', (chunk) => {
      if (silent.has(client)) return
      upstream.write(proxy.onClient(chunk))
    })
    upstream.on('data', (chunk) => {
      if (!silent.has(upstream)) client.write(proxy.onServer(chunk))
    })
  })
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve))
  const tcpPort = (tcp.address() as AddressInfo).port
  const udp = createSocket('udp4')
  await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve))
  const udpPort = udp.address().port
  udp.on('message', (bytes, from) => {
    proxy.clientPort = from.port
    const answer = protocol === 'ca' ? answerCa : answerPva
    answer(udp, bytes, from, tcpPort, accepts)
  })
  return Object.assign(proxy, {
    tcpPort,
    udpPort,
    env: {
      [protocol === 'ca' ? 'EPICS_CA_ADDR_LIST' : 'EPICS_PVA_ADDR_LIST']: `127.0.0.1:${udpPort}`,
      EPICS_CA_AUTO_ADDR_LIST: 'NO',
      EPICS_PVA_AUTO_ADDR_LIST: 'NO'
    },
    toServer: (bytes: Buffer) => void newest?.write(bytes),
    stall: () => {
      for (const socket of sockets) silent.add(socket)
    },
    cut: () => {
      for (const socket of sockets) socket.destroy()
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => udp.close(() => resolve()))
      await new Promise<void>((resolve) => tcp.close(() => resolve()))
    }
  })
}

function answerCa(udp: UdpSocket, bytes: Buffer, from: RemoteInfo, port: number, accepts: (name: string) => boolean) {
  for (let at = 0; at + 16 <= bytes.length;) {
    const size = bytes.readUInt16BE(at + 2)
    const name = bytes.toString('utf8', at + 16, at + 16 + size).replace(/\0+$/, '')
    if (bytes.readUInt16BE(at) === 6 && accepts(name)) {
      const answer = Buffer.alloc(24)
      answer.writeUInt16BE(6, 0)
      answer.writeUInt16BE(8, 2)
      answer.writeUInt16BE(port, 4)
      answer.writeUInt32BE(0xffffffff, 8)
      answer.writeUInt32BE(bytes.readUInt32BE(at + 12), 12)
      answer.writeUInt16BE(13, 16)
      udp.send(answer, from.port, from.address)
    }
    at += 16 + size
  }
}

function answerPva(udp: UdpSocket, bytes: Buffer, from: RemoteInfo, port: number, accepts: (name: string) => boolean) {
  let at = 8 + 26
  const protocols = bytes.readUInt8(at++)
  for (let i = 0; i < protocols; i++) at += 1 + bytes.readUInt8(at)
  const names = bytes.readUInt16LE(at)
  at += 2
  for (let i = 0; i < names; i++) {
    const cid = bytes.readUInt32LE(at)
    const length = bytes.readUInt8(at + 4)
    const name = bytes.toString('utf8', at + 5, at + 5 + length)
    at += 5 + length
    if (accepts(name)) udp.send(searchResponse(bytes.readUInt32LE(8), port, [cid]), from.port, from.address)
  }
}

/** A pvAccess search answer from the address 0.0.0.0, as all servers send it. */
export function searchResponse(sequence: number, port: number, cids: readonly number[]): Buffer {
  const body = Buffer.alloc(12 + 4 + 16 + 2 + 4 + 1 + 2 + 4 * cids.length)
  body.writeUInt32LE(sequence, 12)
  body.writeUInt16LE(port, 32)
  body.write('\x03tcp\x01', 34, 'latin1')
  body.writeUInt16LE(cids.length, 39)
  cids.forEach((cid, i) => body.writeUInt32LE(cid, 41 + 4 * i))
  const header = Buffer.from([0xca, 2, 0x40, 4, 0, 0, 0, 0])
  header.writeUInt32LE(body.length, 4)
  return Buffer.concat([header, body])
}
