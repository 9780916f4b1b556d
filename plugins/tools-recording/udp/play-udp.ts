// `nexstream play … --udp host:port`: raw packets by UDP at the pace of their times: of a capture, or of raw copies (ar51).
import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { setTimeout as delay } from 'node:timers/promises'
import {
  BadMessage,
  CodedError,
  errorText,
  exitCodes,
  type ToolContext,
  type ToolFlags
} from '../../../core/api/plugin.js'
import { fieldAt, idCode, rootAt, schemaId, viewAt } from '../../../schemas/index.js'
import { type Played, type Selection } from '../played.js'
import { namesFile } from '../recording-kit.js'
import { bytes, meter } from '../../tools-daemon/tool-kit.js'
import { readCapture } from './capture.js'
import { datagramOf, type NoDatagram } from './datagram.js'

/** Whether a word of the command line names captured network traffic. */
export const isCapture = (word: string): boolean => namesFile(word, /\.(pcap|pcapng|cap)$/i)

const RAW_COPY = idCode('ar51')
const RAW_DATA = 2
const usage = (message: string): CodedError => new CodedError('CLI_USAGE', message)

/** Takes a packet with its time; resolves when it is sent. */
type TakePacket = (timeMs: number, packet: Uint8Array) => Promise<void>
interface Packets {
  readonly total: number | undefined
  /** Reasons and numbers of what is no packet; of the round so far. */
  readonly passedOver: Map<string, number>
  readonly play: (take: TakePacket, signal: AbortSignal) => Promise<void>
}

export interface UdpPlay {
  readonly to: string
  readonly speed: number
  readonly loops: boolean
  readonly signal: AbortSignal
}

/** Throws CLI_USAGE. */
function addressOf(text: string): readonly [host: string, port: number] {
  const at = text.lastIndexOf(':')
  const port = Number(text.slice(at + 1))
  if (at > 0 && Number.isInteger(port) && port > 0 && port < 65_536)
    return [text.slice(0, at).replace(/^\[(.*)\]$/, '$1'), port]
  throw usage(`--udp ${text}: write host:port`)
}

/** Looked up once, not for each packet; IPv4 where a name has both. Throws CLI_USAGE. */
async function resolved(
  to: string
): Promise<{ readonly host: string; readonly port: number; readonly isIPv6: boolean }> {
  const [name, port] = addressOf(to)
  try {
    const found = (await lookup(name, { all: true })).toSorted((a, b) => a.family - b.family)
    return { host: found[0]?.address ?? name, port, isIPv6: found[0]?.family === 6 }
  } catch (cause) {
    throw new CodedError('CLI_USAGE', `--udp ${to}: ${errorText(cause)}`, { cause })
  }
}

const whyNot: Readonly<Record<NoDatagram, string>> = {
  other: 'frames that are no UDP',
  fragment: 'fragments of datagrams',
  cut: 'datagrams that were not captured whole'
}

/** Goes through the file once, so that what is in it is known before anything is sent. Throws FILE_READ, CLI_USAGE. */
export async function capturePackets(
  file: string,
  { from, toMs = Infinity }: Selection,
  wanted: string | undefined
): Promise<Packets> {
  // prettier-ignore
  const port = wanted === undefined ? undefined : Number(wanted)
  if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65_536))
    throw usage(`--port ${wanted}: no port`)
  const ports = new Map<number, number>()
  const passedOver = new Map<string, number>()
  const count = (why: string): void => void passedOver.set(why, (passedOver.get(why) ?? 0) + 1)
  async function* datagrams(): AsyncGenerator<readonly [timeMs: number, payload: Buffer]> {
    for await (const { timeMs, linkType, bytes: frame } of readCapture(file)) {
      if (timeMs > toMs || (typeof from === 'number' && timeMs < from)) continue
      const datagram = datagramOf(linkType, frame)
      if (typeof datagram === 'string') count(whyNot[datagram])
      else {
        ports.set(datagram.port, (ports.get(datagram.port) ?? 0) + 1)
        if (port === undefined || datagram.port === port) yield [timeMs, datagram.payload]
        else count('datagrams to other ports')
      }
    }
  }
  let total = 0
  for await (const [timeMs] of datagrams()) total += timeMs >= 0 ? 1 : 0
  const found = [...ports].map(([one, n]) => `${one} (${n})`).join(', ')
  if (port === undefined && ports.size > 1)
    throw usage(`${file} has datagrams to the ports ${found}; say which by --port`)
  if (total === 0) throw usage(`${file} has no datagram to play${found === '' ? '' : `; there are those to ${found}`}`)
  return {
    total,
    passedOver,
    play: async (take, signal) => {
      passedOver.clear()
      for await (const [timeMs, payload] of datagrams()) {
        if (signal.aborted) break
        await take(timeMs, payload)
      }
    }
  }
}

/** Raw copies in a recording or a topic. */
export function copiedPackets(played: Played): Packets {
  const passedOver = new Map<string, number>()
  const count = (why: string): void => void passedOver.set(why, (passedOver.get(why) ?? 0) + 1)
  return {
    total: undefined,
    passedOver,
    play: async (take, signal) => {
      passedOver.clear()
      await played.play(({ timestampMs, value }) => {
        const packet = value === null ? undefined : packetOf(value)
        if (packet !== undefined) return take(timestampMs, packet)
        count('messages that are no raw copies (ar51)')
        return undefined
      }, signal)
    }
  }
}

function packetOf(value: Buffer): Uint8Array | undefined {
  if (schemaId(value) !== 'ar51') return undefined
  try {
    const field = fieldAt(value, rootAt(value, RAW_COPY), RAW_DATA, 4)
    return field === 0 ? undefined : viewAt(value, field, 'uint8').bytes
  } catch (error) {
    if (error instanceof BadMessage) return undefined
    throw error
  }
}

/** Sends at the pace of the times; a packet that the system refuses ends it. */
class UdpPacer {
  packets = 0
  bytes = 0
  #beganMs = 0
  #firstMs: number | undefined

  constructor(
    readonly socket: Socket,
    readonly address: { readonly host: string; readonly port: number },
    readonly options: UdpPlay
  ) {}

  beginRound(): void {
    this.#firstMs = undefined
  }

  async take(timeMs: number, packet: Uint8Array): Promise<void> {
    const { speed, signal } = this.options
    if (this.#firstMs === undefined) {
      this.#firstMs = timeMs
      this.#beganMs = performance.now()
    }
    const dueMs = speed === Infinity ? 0 : this.#beganMs + (timeMs - this.#firstMs) / speed
    for (let left = dueMs - performance.now(); left > 1 && !signal.aborted; left = dueMs - performance.now())
      await delay(Math.min(left, 2 ** 30), undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return
    const { host, port } = this.address
    await new Promise<void>((resolve, reject) => {
      this.socket.send(packet, port, host, (error) => (error === null ? resolve() : reject(new CodedError('COMMAND_FAILED', `${host}:${port}: ${error.message}`, { cause: error })))) // prettier-ignore
    })
    this.packets++
    this.bytes += packet.length
  }
}

export async function playByUdp(
  packets: Packets,
  options: UdpPlay,
  flags: ToolFlags,
  context: ToolContext
): Promise<number> {
  const address = await resolved(options.to)
  const socket = createSocket(address.isIPv6 ? 'udp6' : 'udp4')
  const pacer = new UdpPacer(socket, address, options)
  const show = meter(context, 'packets')
  let rounds = 0
  if (options.loops) context.say('playing again and again; Ctrl-C ends it')
  try {
    do {
      const before = pacer.packets
      pacer.beginRound()
      await packets.play(async (timeMs, packet) => {
        await pacer.take(timeMs, packet)
        show(() => ({ done: pacer.packets, bytes: pacer.bytes }))
      }, options.signal)
      rounds++
      if (pacer.packets === before) break
    } while (options.loops && !options.signal.aborted)
  } finally {
    socket.close()
    context.progress('')
  }
  const passedOver = Object.fromEntries(packets.passedOver)
  const left = packets.total === undefined ? 0 : packets.total * rounds - pacer.packets
  if (flags['json'] === true)
    await context.printJson({ sent: pacer.packets, left, bytes: pacer.bytes, rounds, passed_over: passedOver })
  else await context.print(`${pacer.packets} packets to ${options.to}, ${bytes(pacer.bytes)}`)
  for (const [why, n] of packets.passedOver) context.say(`passed over: ${n} ${why}`)
  if (left > 0) context.say(`it was stopped; ${left} packets were not sent`)
  return exitCodes.done
}
