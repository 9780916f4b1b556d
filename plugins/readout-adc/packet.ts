// Packets of an ADC box, big endian: runs of samples of channels, with times of its clock; what is wrong is told by name.

const HEADER = 16
const MODULE = 16
const TRAILER = 4
const DATA = 0x11
const IDLE = 0x22
const EXTERNAL = 1
const FILLER = 0x55

/** Ticks of the sample clock a second: of the timing system, and of the box itself. */
const EXTERNAL_TICKS = 44_026_250
const INTERNAL_TICKS = 45_000_000
const NS = 1_000_000_000n

export const packetErrors = ['HEADER_LENGTH', 'HEADER_TYPE', 'IDLE_LENGTH', 'DATA_ABCD', 'DATA_LENGTH', 'DATA_BEEFCAFE', 'TRAILER_0x55', 'TRAILER_FEEDF00D'] as const // prettier-ignore
export type PacketError = (typeof packetErrors)[number]

/** Clock of a packet. */
export interface SampleClock {
  readonly ticks: number
  /** ns from one sample to the next. */
  readonly cycle: number
}
const clockOf = (ticks: number): SampleClock => ({ ticks, cycle: 1e9 / ticks })
const [external, internal] = [clockOf(EXTERNAL_TICKS), clockOf(INTERNAL_TICKS)]

/** A time and so many samples, in ns since 1970. */
export function timeOf({ ticks }: SampleClock, seconds: number, fraction: number, samples = 0): bigint {
  const all = fraction + samples
  const carried = Math.floor(all / ticks)
  return BigInt(seconds + carried) * NS + BigInt(Math.round(((all - carried * ticks) / ticks) * 1e9))
}

/** Samples of one channel, in a row. */
export interface SampleRun {
  readonly channel: number
  readonly oversampling: number
  readonly clock: SampleClock
  readonly seconds: number
  readonly fraction: number
  /** Time of the packet, ns since 1970. */
  readonly referenceNs: bigint
  readonly samples: Uint16Array
}

/** Tells each run that is whole, also those before an error; what kind of packet it was, or what is wrong with it. */
export function readPacket(
  view: DataView,
  from: number,
  to: number,
  take: (run: SampleRun) => void
): 'data' | 'idle' | PacketError {
  if (to - from < HEADER) return 'HEADER_LENGTH'
  const type = view.getUint8(from + 1)
  if (type !== DATA && type !== IDLE) return 'HEADER_TYPE'
  if (view.getUint16(from + 2) !== to - from - 8) return 'HEADER_LENGTH'
  const clock = view.getUint8(from + 6) === EXTERNAL ? external : internal
  if (type === IDLE) {
    if (to - from !== HEADER + 8 + TRAILER) return 'IDLE_LENGTH'
    return isTrailer(view, to - TRAILER) ? 'idle' : 'TRAILER_FEEDF00D'
  }
  const referenceNs = timeOf(clock, view.getUint32(from + 8), view.getUint32(from + 12))
  let at = from + HEADER
  while (to - at > TRAILER && view.getUint8(at) !== FILLER) {
    if (to - at < MODULE + TRAILER || view.getUint16(at) !== 0xabcd) return 'DATA_ABCD'
    const length = view.getUint16(at + 2)
    if (length < MODULE + TRAILER || length % 2 !== 0 || length > to - at - TRAILER) return 'DATA_LENGTH'
    const samples = new Uint16Array((length - MODULE - TRAILER) / 2)
    for (let i = 0; i < samples.length; i++) samples[i] = view.getUint16(at + MODULE + 2 * i)
    take({
      channel: view.getUint16(at + 4),
      oversampling: view.getUint16(at + 6),
      clock,
      seconds: view.getUint32(at + 8),
      fraction: view.getUint32(at + 12),
      referenceNs,
      samples
    })
    if (view.getUint32(at + length - 4) !== 0xbeefcafe) return 'DATA_BEEFCAFE'
    at += length
  }
  for (; to - at > TRAILER; at++) if (view.getUint8(at) !== FILLER) return 'TRAILER_0x55'
  return to - at === TRAILER && isTrailer(view, at) ? 'data' : 'TRAILER_FEEDF00D'
}

const isTrailer = (view: DataView, at: number): boolean => view.getUint32(at) === 0xfeedf00d
