// Stands between client and broker, understands the framing, and may change or withhold answers: damage on the way.
import { once } from 'node:events'
import net from 'node:net'
import { type KafkaClient, connectKafka } from '../../core/kafka/client.js'
import { Out } from '../../core/kafka/wire.js'
import { type RunningKafka, advertisesItself, kafka, startKafka, testTopics } from './kafka.js'
import { freePorts } from '../../plugins/tools-dev/fetched/ports.js'

/** Gets each answer as a frame (length, correlation id, body) and gives what to send on; null cuts the connection. */
export type Meddle = (api: number, frame: Buffer) => Buffer | null
/** Gets each request as a frame; gives the body of an answer in the broker's place, or undefined to pass it on. */
export type Overhear = (api: number, frame: Buffer) => Buffer | undefined

export interface KafkaProxy {
  /** Host:port for clients; all brokers' ports in metadata answers become this one. */
  readonly address: string
  meddle: Meddle
  overhear: Overhear
  /** What the answers wait for, one after the other on each connection: a slow or a silent network. Undefined: nothing. */
  delay: (() => Promise<unknown>) | undefined
  /** Resolves when no connection is left. */
  idle(): Promise<void>
  /** Ends all connections; new ones are taken all the same. */
  cut(): void
  /** As a broker that is down: connections end and are refused until `back`. */
  away(): Promise<void>
  back(): Promise<void>
  close(): Promise<void>
}

const METADATA = 3

/** Cuts a byte stream into frames with a length of 4 bytes. */
function frames(onFrame: (frame: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (;;) {
      if (rest.length < 4 || rest.length < 4 + rest.readInt32BE(0)) return
      const end = 4 + rest.readInt32BE(0)
      onFrame(rest.subarray(0, end))
      rest = rest.subarray(end)
    }
  }
}

/** A proxy in front of one broker that advertises this address. Frames pass unchanged until `meddle` or `overhear` is set. */
export async function kafkaProxy(broker: string): Promise<KafkaProxy> {
  const [host, port] = broker.split(':') as [string, string]
  const sockets = new Set<net.Socket>()
  const server = net.createServer((client) => {
    const upstream = net.connect(Number(port), host)
    const asked = new Map<number, number>()
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    const question = frames((frame) => {
      const api = frame.readInt16BE(4)
      const body = proxy.overhear(api, frame)
      if (body === undefined) {
        asked.set(frame.readInt32BE(8), api)
        upstream.write(frame)
        return
      }
      const head = Buffer.alloc(8)
      head.writeInt32BE(4 + body.length)
      frame.copy(head, 4, 8, 12)
      client.write(Buffer.concat([head, body]))
    })
    let waiting: Promise<unknown> | undefined
    const pass = (frame: Buffer): void => {
      if (proxy.delay === undefined && waiting === undefined) return void client.write(frame)
      const mine: Promise<unknown> = Promise.resolve(waiting)
        .then(() => proxy.delay?.())
        .then(() => {
          if (!client.destroyed) client.write(frame)
          if (waiting === mine) waiting = undefined
        })
      waiting = mine
    }
    const answer = frames((frame) => {
      const id = frame.readInt32BE(4)
      const api = asked.get(id) ?? -1
      asked.delete(id)
      if (api === METADATA) redirect(frame, host, Number(port), own)
      const passed = proxy.meddle(api, frame)
      if (passed === null) client.destroy()
      else pass(passed)
    })
    client.on('data', question)
    upstream.on('data', answer)
  })
  const [own = 0] = await freePorts(1)
  server.listen(own, '127.0.0.1')
  await once(server, 'listening')
  const proxy: KafkaProxy = {
    address: `127.0.0.1:${own}`,
    meddle: (_, frame) => frame,
    overhear: () => undefined,
    delay: undefined,
    idle: async () => {
      while (sockets.size > 0) await once([...sockets][0]!, 'close')
    },
    cut: () => sockets.forEach((socket) => socket.destroy()),
    away: async () => {
      const closed = once(server, 'close')
      server.close()
      proxy.cut()
      await closed
    },
    back: async () => {
      server.listen(own, '127.0.0.1')
      await once(server, 'listening')
    },
    close: async () => {
      if (server.listening) await proxy.away()
    }
  }
  return proxy
}

/** Another port behind each mention of the broker, in plain and flexible versions. */
function redirect(frame: Buffer, host: string, port: number, other: number): void {
  const address = Buffer.from(`${host}\0\0\0\0`)
  address.writeInt32BE(port, host.length)
  for (let at = frame.indexOf(address); at >= 0; at = frame.indexOf(address, at + 1))
    if ([host.length, host.length + 1].includes(frame[at - 1] ?? -1)) frame.writeInt32BE(other, at + host.length)
}

/** Answer to a Fetch of the only partition of a topic that ends at `end`: up to `at` the log is what was read, from there another. */
export function diverged(topicId: string, end: number, at: number): Buffer {
  const out = new Out().noTags().i32(0).i16(0).i32(0).uvarint(2).uuid(topicId)
  out.uvarint(2).i32(0).i16(0).i64(end).i64(end).i64(0).uvarint(0).i32(-1).uvarint(0)
  // The tagged field: epoch and offset up to which both logs are the same
  out.uvarint(1).uvarint(0).uvarint(13).i32(0).i64(at).noTags()
  return out.noTags().noTags().done()
}

export const COUNT = 3000
export const texts = Array.from({ length: COUNT }, (_, i) => `value ${i} of ${COUNT}`)

export interface BehindProxy {
  readonly brokers: string[]
  readonly proxy: KafkaProxy
  readonly client: KafkaClient
  /** A new topic that holds `texts` in so many batches. */
  filled(batches?: number): Promise<string>
}

/** For each test of this `describe`: a proxy in front of the shared broker and a client that knows only the proxy. */
export function behindProxy(): BehindProxy {
  let own: RunningKafka | undefined
  const at = {} as { brokers: string[]; proxy: KafkaProxy; client: KafkaClient }
  before(async () => {
    const shared = await kafka()
    // A named broker may advertise another address than ours.
    if (!(await advertisesItself(shared.brokers[0]!))) own = await startKafka({ own: true })
    at.brokers = (own ?? shared).brokers
  })
  after(() => own?.stop())
  beforeEach(async () => {
    at.proxy = await kafkaProxy(at.brokers[0]!)
    at.client = connectKafka({ brokers: [at.proxy.address], request_timeout_ms: 1500 })
  })
  afterEach(async () => {
    await at.client.close()
    await at.proxy.idle()
    await at.proxy.close()
  })
  return Object.assign(at, {
    filled: async (batches = 30) => {
      const { topic } = await testTopics(['topic'], { brokers: at.brokers })
      const producer = at.client.producer({ lingerMs: 1000 })
      for (let i = 0; i < COUNT; i++) {
        producer.send({ topic, value: texts[i]! })
        if (i % (COUNT / batches) === COUNT / batches - 1) await producer.flush()
      }
      await producer.close()
      return topic
    }
  })
}
