// The raw pair: Fetch without a client, and the same bytes by positioned writes. Nothing is decoded or indexed, and nothing
// checked unless `crc` is asked for: then the checksum of each record batch.
// node dist/bench/support/write-path/raw.js TASK.json FILE [crc]
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import net from 'node:net'
import { crc32c } from '@node-rs/crc32'
import { stopwatch } from '../report.js'
import { type Task } from './workloads.js'

const FETCH_BYTES = 8 << 20
const WRITE_BYTES = 1 << 20
const [, , taskFile = '', file = '', check = ''] = process.argv
const task = JSON.parse(readFileSync(taskFile, 'utf8')) as Task

interface Response {
  readonly buffer: Buffer
  readonly length: number
}

/** Reads responses in place into two buffers that take turns. */
class Wire {
  readonly #buffers = [Buffer.allocUnsafeSlow(32 << 20), Buffer.allocUnsafeSlow(32 << 20)]
  #turn = 0
  #have = 0
  #settle: ((response: Response) => void) | undefined
  readonly #socket: net.Socket

  constructor(broker: string) {
    const [host = '', port = ''] = broker.split(':')
    this.#socket = net.connect({
      host,
      port: Number(port),
      noDelay: true,
      onread: {
        buffer: () => this.#buffer.subarray(this.#have, this.#have < 4 ? 65_536 : this.#buffer.readInt32BE(0) + 4),
        callback: (bytes) => this.#received(bytes)
      }
    })
    this.#socket.on('error', (error) => {
      throw error
    })
  }

  /** One request at a time; its response stays sound until the next has come. */
  ask(request: Buffer): Promise<Response> {
    this.#socket.write(request)
    return new Promise((resolve) => (this.#settle = resolve))
  }

  close(): void {
    this.#socket.destroy()
  }

  get #buffer(): Buffer {
    return this.#buffers[this.#turn] as Buffer
  }

  #received(bytes: number): boolean {
    this.#have += bytes
    if (this.#have < 4 || this.#have < this.#buffer.readInt32BE(0) + 4) return true
    const response = { buffer: this.#buffer, length: this.#have }
    this.#turn = 1 - this.#turn
    this.#have = 0
    this.#settle?.(response)
    return true
  }
}

/** Fetch v4 of one partition of some topics. */
function fetchRequest(positions: ReadonlyMap<string, number>): Buffer {
  const parts: Buffer[] = []
  const put = (size: number, write: (out: Buffer) => void): void => {
    const out = Buffer.alloc(size)
    write(out)
    parts.push(out)
  }
  const i32 = (n: number): void => put(4, (out) => out.writeInt32BE(n))
  const text = (s: string): void => {
    put(2, (out) => out.writeInt16BE(Buffer.byteLength(s)))
    parts.push(Buffer.from(s))
  }
  put(8, (out) => out.writeUInt32BE(0x0001_0004))
  text('raw')
  for (const n of [-1, 500, 1, FETCH_BYTES]) i32(n)
  put(1, () => undefined)
  i32(positions.size)
  for (const [topic, offset] of positions) {
    text(topic)
    i32(1)
    i32(0)
    put(8, (out) => out.writeBigInt64BE(BigInt(offset)))
    i32(FETCH_BYTES)
  }
  const body = Buffer.concat(parts)
  const head = Buffer.alloc(4)
  head.writeInt32BE(body.length)
  return Buffer.concat([head, body])
}

const ends = new Map<Buffer, [number, number][]>()

/** Moves the positions on; notes where the record batches lie. Returns the number of records. */
function advance({ buffer }: Response, positions: Map<string, number>): number {
  const spans: [number, number][] = []
  let records = 0
  let at = 12
  const topics = buffer.readInt32BE(at)
  at += 4
  for (let t = 0; t < topics; t++) {
    const name = buffer.toString('latin1', at + 2, at + 2 + buffer.readInt16BE(at))
    at += 2 + name.length + 4
    const error = buffer.readInt16BE(at + 4)
    if (error !== 0) throw new Error(`Fetch of ${name}: error ${error}`)
    at += 22
    at += 4 + 16 * Math.max(0, buffer.readInt32BE(at))
    const end = at + 4 + buffer.readInt32BE(at)
    at += 4
    let batch = at
    while (end - batch >= 61 && batch + 12 + buffer.readInt32BE(batch + 8) <= end) {
      positions.set(name, Number(buffer.readBigInt64BE(batch)) + buffer.readInt32BE(batch + 23) + 1)
      records += buffer.readInt32BE(batch + 57)
      const next = batch + 12 + buffer.readInt32BE(batch + 8)
      if (check === 'crc' && crc32c(buffer.subarray(batch + 21, next)) !== buffer.readUInt32BE(batch + 17))
        throw new Error(`${name}: the checksum of a batch is wrong`)
      batch = next
    }
    spans.push([at, batch])
    at = end
  }
  ends.set(buffer, spans)
  return records
}

const stop = stopwatch()
const wire = new Wire(task.brokers[0] ?? '')
const fd = openSync(file, 'w')
// Served in turn, as a broker fills a response from the first partition on
const positions = new Map(task.topics.map((topic) => [topic, 0]))
let place = 0
let got = 0
let next = wire.ask(fetchRequest(positions))
while (got < task.messages) {
  const response = await next
  got += advance(response, positions)
  const [first] = positions
  if (first !== undefined && positions.delete(first[0])) positions.set(first[0], positions.get(first[0]) ?? first[1])
  if (got < task.messages) next = wire.ask(fetchRequest(positions))
  for (const [from, to] of ends.get(response.buffer) ?? [])
    for (let at = from; at < to; at += WRITE_BYTES)
      place += writeSync(fd, response.buffer, at, Math.min(WRITE_BYTES, to - at), place)
}
closeSync(fd)
wire.close()
console.log(JSON.stringify(stop(task.units)))
