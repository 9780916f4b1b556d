// One connection to an SNS stream, for all channels of its address; made again when it breaks.
import { connect, type Socket } from 'node:net'
import { type Context, type Subscription } from '../../core/api/plugin.js'
import { type Alarm, Connection, type EventRecord, type Update } from '../../schemas/index.js'
import {
  type AdaraPacket,
  DISCONNECTED,
  formats,
  helloPacket,
  NoPacket,
  PacketCutter
} from '../service-adara/adara-kit.js'
import { readDevice, type ReadEvents, readMonitors, readPulse, readRun, readValue, type ReadVariable } from './read.js'

const MOST_PACKET_BYTES = 1 << 28
const FIRST_WAIT_MS = 500
const MOST_WAIT_MS = 30_000
/** Streams send a heartbeat each second. */
const SILENCE_MS = 30_000
/** What a stream may name; further variables are not known. */
const MOST_VARIABLES = 100_000

/** Types of packets with events or values: whoever sends one of a version that is not read must be told. */
const isData = (type: number): boolean => type === 0x4000 || type === 0x4001 || (type >= 0x8000 && type <= 0x81ff)

type Emit = (update: Update) => void
interface StreamChannel {
  readonly name: string
  readonly emit: Emit
  connection: number
  first: boolean
}
type News = Partial<Update> & Pick<Update, 'timestampNs' | 'dtype'>

const calm: Alarm = { severity: 0, status: 0, message: '' }

export class AdaraStream {
  readonly #channels = new Set<StreamChannel>()
  readonly #variables = new Map<string, ReadVariable>()
  /** The last update of a variable, for channels that come later. */
  readonly #last = new Map<string, News>()
  #socket: Socket | undefined
  #again: NodeJS.Timeout | undefined
  #waitMs = FIRST_WAIT_MS
  #pulse = 0n
  /** Formats of data that have been told of as not read. */
  readonly #unread = new Set<number>()
  #isFull = false
  #closed = false

  readonly #host: string
  readonly #port: number
  readonly #log: Context['log']
  readonly #over: () => void

  /** @param over - called when its last channel is gone */
  constructor(host: string, port: number, log: Context['log'], over: () => void) {
    this.#host = host
    this.#port = port
    this.#log = log
    this.#over = over
    this.#connect()
  }

  open(name: string, emit: Emit): Subscription {
    const channel: StreamChannel = { name, emit, connection: Connection.NEVER_CONNECTED, first: true }
    this.#channels.add(channel)
    // The one that opens it has to know it first
    queueMicrotask(() => {
      const last = this.#last.get(name)
      if (last !== undefined && this.#channels.has(channel)) this.#tell(channel, last)
    })
    return {
      close: () => {
        this.#channels.delete(channel)
        if (this.#channels.size === 0) this.close()
      }
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#again)
    this.#socket?.destroy()
    this.#over()
  }

  #connect(): void {
    const cutter = new PacketCutter(MOST_PACKET_BYTES)
    const socket = connect(this.#port, this.#host)
    this.#socket = socket
    let why = 'it ended'
    socket.setTimeout(SILENCE_MS, () => socket.destroy(new Error(`silent for ${SILENCE_MS / 1000} s`)))
    socket.on('connect', () => socket.write(helloPacket(BigInt(Date.now()) * 1_000_000n)))
    socket.on('data', (bytes) => {
      this.#waitMs = FIRST_WAIT_MS
      try {
        cutter.push(bytes, (packet) => this.#take(packet))
      } catch (error) {
        if (!(error instanceof NoPacket) && !(error instanceof RangeError)) throw error
        socket.destroy(error)
      }
    })
    socket.on('error', ({ message }) => (why = message))
    socket.on('close', () => this.#lost(why))
  }

  #lost(why: string): void {
    if (this.#closed) return
    const timestampNs = BigInt(Date.now()) * 1_000_000n
    for (const channel of this.#channels) this.#connection(channel, Connection.DISCONNECTED, timestampNs)
    this.#variables.clear()
    this.#last.clear()
    this.#log('warn', `the stream of ${this.#host}:${this.#port} is away: ${why}; next try in ${this.#waitMs / 1000} s`)
    this.#again = setTimeout(() => this.#connect(), this.#waitMs)
    this.#waitMs = Math.min(2 * this.#waitMs, MOST_WAIT_MS)
  }

  #take({ format, timeNs, payload }: AdaraPacket): void {
    switch (format) {
      case formats.bankedEvents:
        return this.#events(timeNs, payload)
      case formats.monitorEvents:
        for (const [monitor, events] of readMonitors(payload)) this.#send(`monitor:${monitor}`, eventsOf(timeNs, events, this.#pulse)) // prettier-ignore
        return
      case formats.device:
        for (const variable of readDevice(payload)) this.#describe(variable)
        return
      case formats.u32:
      case formats.double:
      case formats.text:
        return this.#value(format, timeNs, payload)
      default:
        // Of any version, as what is read of it stands at the same place in all
        if (format >>> 8 === formats.runStatus >>> 8)
          this.#keep('run_number', { timestampNs: timeNs, dtype: 'float64', value: readRun(payload) })
        else if (isData(format >>> 8)) this.#notRead(format)
    }
  }

  /** Once for each, not for each packet. */
  #notRead(format: number): void {
    if (this.#unread.has(format)) return
    this.#unread.add(format)
    const what = `0x${(format >>> 8).toString(16)}, version ${format & 0xff}`
    this.#log('warn', `the stream of ${this.#host}:${this.#port} has events or values in packets of type ${what}, which are not read: they are lost`) // prettier-ignore
  }

  #describe(variable: ReadVariable): void {
    const id = `${variable.device} ${variable.variable}`
    if (this.#variables.size < MOST_VARIABLES || this.#variables.has(id)) this.#variables.set(id, variable)
    else this.#tellFull()
  }

  /** Once: a stream that names new ones without end does not stop. */
  #tellFull(): void {
    if (this.#isFull) return
    this.#isFull = true
    this.#log('warn', `the stream of ${this.#host}:${this.#port} has more than ${MOST_VARIABLES} variables: further ones are not known`) // prettier-ignore
  }

  #events(timeNs: bigint, payload: Buffer): void {
    const { chargePc, banks } = readPulse(payload)
    this.#pulse++
    this.#keep('proton_charge', { timestampNs: timeNs, dtype: 'float64', value: chargePc, units: 'pC' })
    for (const [bank, events] of banks) this.#send(`bank:${bank}`, eventsOf(timeNs, events, this.#pulse))
    const all = [...banks.values()]
    const [one] = all
    if (one === undefined) return
    this.#send('events', eventsOf(timeNs, all.length === 1 ? one : joined(all), this.#pulse))
  }

  #value(format: number, timeNs: bigint, payload: Buffer): void {
    const { device, variable, status, severity, value } = readValue(format, payload)
    const known = this.#variables.get(`${device} ${variable}`)
    // Before its description nobody knows what it is
    if (known === undefined) return
    if (status === DISCONNECTED) {
      this.#last.delete(known.name)
      for (const channel of this.#channels)
        if (channel.name === known.name) this.#connection(channel, Connection.DISCONNECTED, timeNs)
      return
    }
    const alarm = severity > 3 || status > 21 ? calm : { severity, status, message: '' }
    const dtype = format === formats.text ? 'string' : format === formats.u32 ? 'uint32' : 'float64'
    this.#keep(known.name, { timestampNs: timeNs, dtype, value, alarm, units: known.units })
  }

  #keep(name: string, news: News): void {
    // A name may change, too
    if (this.#last.size < 2 * MOST_VARIABLES || this.#last.has(name)) this.#last.set(name, news)
    this.#send(name, news)
  }

  #send(name: string, news: News): void {
    for (const channel of this.#channels) if (channel.name === name) this.#tell(channel, news)
  }

  #tell(channel: StreamChannel, news: News): void {
    this.#connection(channel, Connection.CONNECTED, news.timestampNs)
    channel.emit({ ...base(channel), ...news, first: channel.first })
    channel.first = false
  }

  /** Only what is new. */
  #connection(channel: StreamChannel, connection: number, timestampNs: bigint): void {
    if (channel.connection === connection) return
    channel.connection = connection
    if (connection !== Connection.CONNECTED) channel.first = true
    channel.emit({ ...base(channel), kind: 'connection', timestampNs, dtype: 'float64', first: false })
  }
}

const base = ({ name, connection }: StreamChannel): Omit<Update, 'timestampNs' | 'dtype' | 'first'> => ({
  kind: 'value',
  source: name,
  value: null,
  alarm: calm,
  units: '',
  precision: null,
  enumStrings: null,
  connection,
  repeat: false
})

function eventsOf(timeNs: bigint, { timeOfFlight, pixelId }: ReadEvents, messageId: bigint): News {
  const time = Buffer.alloc(8)
  time.writeBigInt64LE(timeNs)
  const events: EventRecord = {
    source: '',
    messageId,
    referenceTime: { dtype: 'int64', length: 1, bytes: time },
    referenceTimeIndex: { dtype: 'int32', length: 1, bytes: new Uint8Array(4) },
    timeOfFlight,
    pixelId
  }
  return { timestampNs: timeNs, dtype: 'structure', events }
}

function joined(list: readonly ReadEvents[]): ReadEvents {
  const of = (key: keyof ReadEvents): ReadEvents['pixelId'] => ({
    dtype: 'int32',
    length: list.reduce((sum, one) => sum + one[key].length, 0),
    bytes: Buffer.concat(list.map((one) => one[key].bytes))
  })
  return { timeOfFlight: of('timeOfFlight'), pixelId: of('pixelId') }
}
