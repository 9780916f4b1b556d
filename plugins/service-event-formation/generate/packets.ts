// Packets of a generated measurement: pulses at 14 Hz, each with so many packets of so many readouts; some are left out.
import { CodedError } from '../../../core/api/plugin.js'
import { type ReadoutPart, type ReadoutWriter, TICKS_PER_SECOND } from '../readout-kit.js'
import { pointOf, seeded } from './picture.js'

const HEADER = 32
const LONGEST_TAIL = 32
const LARGEST = 8972
/** ns of 14 Hz. */
const PERIOD = 71_428_571n
/** Times of flight are below this, ns. */
const LONGEST = 70_000_000
const NS = 1_000_000_000n

export interface GeneratorOptions {
  readonly seed: number
  readonly pulses: number
  /** Packets of a pulse, and readouts of a packet. */
  readonly packets: number
  readonly readouts: number
  /** Share of packets that are left out, 0 to 1. */
  readonly loss: number
  /** Time of the first pulse, ns since 1970. */
  readonly startNs: bigint
}

export interface GeneratedPacket {
  readonly bytes: Uint8Array
  /** Its number is counted, and it must not be sent. */
  readonly isLost: boolean
  readonly readouts: number
}

interface Time {
  readonly seconds: number
  readonly ticks: number
  readonly ns: number
}

function timeOf(ns: bigint): Time {
  const rest = Number(ns % NS)
  const ticks = Math.min(TICKS_PER_SECOND - 1, Math.round((rest / 1e9) * TICKS_PER_SECOND))
  return { seconds: Number(ns / NS), ticks, ns: rest }
}

/** A header alone comes last, so that what is missing before it shows. */
export function* generatePackets(
  part: ReadoutPart,
  writer: ReadoutWriter,
  options: GeneratorOptions
): Generator<GeneratedPacket> {
  const { detectorType } = part
  const largest = part.largest ?? LARGEST
  const room = Math.floor((largest - HEADER) / writer.size)
  if (options.readouts > room)
    throw new CodedError('CLI_USAGE', `${options.readouts} readouts do not fit into a packet; ${room} do`)
  const random = seeded(options.seed)
  let number = 0
  for (let pulse = 0; pulse < options.pulses; pulse++) {
    const pulseNs = options.startNs + BigInt(pulse) * PERIOD
    const { seconds, ns: nanoseconds } = timeOf(pulseNs)
    const before = writer.before?.({ seconds, nanoseconds, packet: number })
    if (before !== undefined) yield { bytes: before, isLost: false, readouts: 0 }
    for (let i = 0; i < options.packets; i++) {
      const bytes = packetOf({ writer, detectorType, random }, pulseNs, number++, options.readouts)
      yield { bytes, isLost: random() < options.loss, readouts: options.readouts }
    }
  }
  if (detectorType === null) return
  const endNs = options.startNs + BigInt(options.pulses) * PERIOD
  yield { bytes: packetOf({ writer, detectorType, random }, endNs, number, 0), isLost: false, readouts: 0 }
}

interface PacketTools {
  readonly writer: ReadoutWriter
  readonly detectorType: number | null
  readonly random: () => number
}

function packetOf(
  { writer, detectorType, random }: PacketTools,
  pulseNs: bigint,
  number: number,
  readouts: number
): Uint8Array {
  const memory = new Uint8Array(HEADER + readouts * writer.size + LONGEST_TAIL)
  const view = new DataView(memory.buffer)
  const pulse = timeOf(pulseNs)
  let at =
    detectorType === null
      ? (writer.head?.(view, { seconds: pulse.seconds, nanoseconds: pulse.ns, packet: number }) ?? 0)
      : HEADER
  const head = at
  for (let i = 0; i < readouts; i++) {
    const [u, v] = pointOf(random)
    const { seconds, ticks } = timeOf(pulseNs + BigInt(Math.floor(random() * LONGEST)) + 12n)
    writer.write(view, at, { u, v, seconds, ticks }, random)
    at += writer.size
  }
  const length = head + readouts * writer.size
  const bytes = memory.subarray(0, detectorType === null ? (writer.finish?.(view, length) ?? length) : length)
  if (detectorType !== null) essHeader(view, [detectorType, bytes.length, number], pulse, timeOf(pulseNs - PERIOD))
  return bytes
}

function essHeader(view: DataView, [type, length, number]: [number, number, number], pulse: Time, before: Time): void {
  view.setUint8(1, 1)
  view.setUint8(2, 0x45)
  view.setUint8(3, 0x53)
  view.setUint8(4, 0x53)
  view.setUint8(5, type)
  view.setUint16(6, length, true)
  view.setUint32(10, pulse.seconds, true)
  view.setUint32(14, pulse.ticks, true)
  view.setUint32(18, before.seconds, true)
  view.setUint32(22, before.ticks, true)
  view.setUint32(26, number >>> 0, true)
}
