// The broker of a rehearsal: as much of Kafka as a job asks for, one topic of one partition, on a port of this machine.
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { type MadeUpLog } from './made-up-log.js'

export const TOPIC = 'rehearsal'
const TOPIC_ID = Buffer.alloc(16, 7)
const MOST_ANSWERED = 2 << 20
/** No request of ours is longer; shorter ones have no head. */
const MOST_ASKED = 1 << 16
const LEAST_ASKED = 10

/** Api key → versions: those that the client needs to go the way it goes with a broker of today. */
const versions = { 0: [8, 8], 1: [10, 13], 2: [2, 2], 3: [7, 10], 18: [0, 0], 22: [1, 1] } as const

const i16 = (n: number): Buffer => bytesOf(2, (out) => out.writeInt16BE(n))
const i32 = (n: number): Buffer => bytesOf(4, (out) => out.writeInt32BE(n))
const i64 = (n: number): Buffer => bytesOf(8, (out) => out.writeBigInt64BE(BigInt(n)))
const text = (value: string): Buffer => Buffer.concat([i16(value.length), Buffer.from(value)])
/** Of a flexible version: one more than the length, of words below 127 bytes. */
const compact = (value: string): Buffer => Buffer.concat([Buffer.from([value.length + 1]), Buffer.from(value)])
const ONE = Buffer.from([2])
const NO_TAGS = Buffer.alloc(1)

function bytesOf(length: number, write: (out: Buffer) => void): Buffer {
  const out = Buffer.alloc(length)
  write(out)
  return out
}

export class RehearsalBroker {
  readonly #sockets = new Set<Socket>()
  readonly #server: Server
  readonly #log: MadeUpLog

  constructor(log: MadeUpLog) {
    this.#log = log
    // What fails is a connection less: the rehearsal ends without it, and a job that has come must not end with it
    this.#server = createServer((socket) => this.#serve(socket)).on('error', () => this.close())
  }

  /** HOST:PORT. */
  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `127.0.0.1:${this.#port}`
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    let rest = Buffer.alloc(0)
    socket.on('close', () => this.#sockets.delete(socket))
    // The client has closed it: nobody is left to be told
    socket.on('error', () => socket.destroy())
    socket.on('data', (data) => {
      rest = Buffer.concat([rest, data])
      while (rest.length >= 4 && !socket.destroyed) {
        const length = rest.readInt32BE(0)
        // Anybody on this machine may have found the port
        if (length < LEAST_ASKED || length > MOST_ASKED) socket.destroy()
        else if (rest.length < 4 + length) return
        else {
          this.#answer(socket, rest.subarray(4, 4 + length))
          rest = rest.subarray(4 + length)
        }
      }
    })
  }

  #answer(socket: Socket, request: Buffer): void {
    let answer: Buffer[] | undefined
    try {
      answer = this.#bodyOf(request.readInt16BE(0), request.subarray(10 + request.readInt16BE(8)))
    } catch {
      // Not of our client
      socket.destroy()
    }
    // What comes after the end is waited for until the client closes
    if (answer === undefined) return
    const parts = [request.subarray(4, 8), ...answer]
    socket.cork()
    socket.write(i32(parts.reduce((sum, part) => sum + part.length, 0)))
    for (const part of parts) socket.write(part)
    socket.uncork()
  }

  #bodyOf(key: number, body: Buffer): Buffer[] | undefined {
    if (key === 18) return apiVersions()
    if (key === 3) return this.#metadata()
    if (key === 2) return this.#offsets(Number(body.readBigInt64BE(body.length - 8)))
    // Behind the tags of the head, limits, and the id of the topic
    return this.#fetched(Number(body.readBigInt64BE(52)))
  }

  #metadata(): Buffer[] {
    const broker = [i32(1), compact('127.0.0.1'), i32(this.#port), NO_TAGS, NO_TAGS]
    const replicas = [ONE, i32(1), ONE, i32(1), Buffer.from([1])]
    const partition = [i16(0), i32(0), i32(1), i32(0), ...replicas, NO_TAGS]
    const topic = [i16(0), compact(TOPIC), TOPIC_ID, Buffer.alloc(1), ONE, ...partition, i32(-1), NO_TAGS]
    return [NO_TAGS, i32(0), ONE, ...broker, compact(TOPIC), i32(1), ONE, ...topic, i32(-1), NO_TAGS]
  }

  /** By time nothing but the first message is ever asked for, and the end. */
  #offsets(timestamp: number): Buffer[] {
    const { messages, startNs } = this.#log
    const isFirst = timestamp === -2 || (timestamp >= 0 && timestamp <= Number(startNs / 1_000_000n))
    const offset = isFirst ? 0 : timestamp === -1 ? messages : -1
    return [i32(0), i32(1), text(TOPIC), i32(1), i32(0), i16(0), i64(timestamp), i64(offset)]
  }

  #fetched(offset: number): Buffer[] | undefined {
    const { messages } = this.#log
    if (offset >= messages) return undefined
    const batches = this.#log.from(offset, MOST_ANSWERED)
    const length = uvarint(1 + batches.reduce((sum, batch) => sum + batch.length, 0))
    // No aborted transactions, no other replica
    const part = [i32(0), i16(0), i64(messages), i64(messages), i64(0), Buffer.from([1]), i32(-1), length]
    return [NO_TAGS, i32(0), i16(0), i32(0), ONE, TOPIC_ID, ONE, ...part, ...batches, NO_TAGS, NO_TAGS, NO_TAGS]
  }
}

function apiVersions(): Buffer[] {
  const list = Object.entries(versions)
  return [
    i16(0),
    i32(list.length),
    ...list.flatMap(([key, [least, most]]) => [i16(Number(key)), i16(least), i16(most)])
  ]
}

function uvarint(n: number): Buffer {
  const bytes: number[] = []
  let rest = n
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128)
  return Buffer.from([...bytes, rest])
}
