// Captured network traffic (pcap and pcapng) as frames with their times.
import { CodedError } from '../../../core/api/plugin.js'
import { FileBytes } from './bytes.js'

export interface CapturedFrame {
  /** Since 1970. */
  readonly timeMs: number
  /** What the frame begins with, as the registry of link types numbers it. */
  readonly linkType: number
  /** Valid until the next one. */
  readonly bytes: Buffer
}

/** Larger ones are no frames. */
const LARGEST = 1 << 24
const NG_SECTION = 0x0a0d0d0a
const NG_ORDER = 0x1a2b3c4d
const NG_INTERFACE = 1
const NG_SIMPLE = 3
const NG_PACKET = 6
const OPTION_RESOLUTION = 9

const noCapture = (file: string, why: string): CodedError => new CodedError('FILE_READ', `${file}: ${why}`)

type ReadWord = (bytes: Buffer, at: number) => number
interface Words {
  readonly u16: ReadWord
  readonly u32: ReadWord
}
const little: Words = { u16: (bytes, at) => bytes.readUInt16LE(at), u32: (bytes, at) => bytes.readUInt32LE(at) }
const big: Words = { u16: (bytes, at) => bytes.readUInt16BE(at), u32: (bytes, at) => bytes.readUInt32BE(at) }

/** Throws FILE_READ for a file that is none; one that ends in the middle of a frame ends before it. */
export async function* readCapture(file: string): AsyncGenerator<CapturedFrame> {
  const bytes = await FileBytes.open(file)
  try {
    const magic = await bytes.take(4)
    if (magic === undefined) throw noCapture(file, 'it is empty')
    if (magic.readUInt32LE(0) === NG_SECTION) yield* readNg(file, bytes)
    else yield* readClassic(file, bytes, Buffer.from(magic))
  } finally {
    await bytes.close()
  }
}

async function* readClassic(file: string, bytes: FileBytes, magic: Buffer): AsyncGenerator<CapturedFrame> {
  const of = (words: Words): number | undefined => ({ 0xa1b2c3d4: 1e3, 0xa1b23c4d: 1e6 })[words.u32(magic, 0)]
  const words = of(little) !== undefined ? little : big
  const perMs = of(words)
  const head = await bytes.take(20)
  if (perMs === undefined || head === undefined) throw noCapture(file, 'it is neither pcap nor pcapng')
  const linkType = words.u32(head, 16) & 0xffff
  for (;;) {
    const record = await bytes.take(16)
    if (record === undefined) return
    const [seconds, fraction, length] = [0, 4, 8].map((at) => words.u32(record, at)) as [number, number, number]
    if (length > LARGEST) throw noCapture(file, `a frame of ${length} bytes cannot be`)
    const frame = await bytes.take(length)
    if (frame === undefined) return
    yield { timeMs: seconds * 1000 + fraction / perMs, linkType, bytes: frame }
  }
}

interface NgInterface {
  readonly linkType: number
  readonly perMs: number
}

async function* readNg(file: string, bytes: FileBytes): AsyncGenerator<CapturedFrame> {
  let words = little
  let interfaces: NgInterface[] = []
  let type = NG_SECTION
  let timeMs = 0
  for (;;) {
    const start = await bytes.take(type === NG_SECTION ? 8 : 4)
    if (start === undefined) return
    if (type === NG_SECTION) {
      words = start.readUInt32LE(4) === NG_ORDER ? little : big
      interfaces = []
    }
    const length = words.u32(start, 0)
    const read = type === NG_SECTION ? 12 : 8
    if (length < read + 4 || length > LARGEST) throw noCapture(file, `a block of ${length} bytes cannot be`)
    const body = await bytes.take(length - read)
    if (body === undefined) return
    if (type === NG_INTERFACE) interfaces.push(interfaceOf(words, body))
    if (type === NG_PACKET || type === NG_SIMPLE) {
      const frame = frameOf(words, type, body, interfaces, timeMs)
      if (frame !== undefined) yield frame
      timeMs = frame?.timeMs ?? timeMs
    }
    const next = await bytes.take(4)
    if (next === undefined) return
    // Of a section it is the same in both orders
    type = words.u32(next, 0)
  }
}

function interfaceOf(words: Words, body: Buffer): NgInterface {
  let perMs = 1e3
  for (let at = 8; at + 8 <= body.length;) {
    const [code, length] = [words.u16(body, at), words.u16(body, at + 2)]
    if (code === 0) break
    const resolution = body[at + 4] ?? 6
    if (code === OPTION_RESOLUTION) perMs = (resolution > 127 ? 2 ** (resolution - 128) : 10 ** resolution) / 1e3
    at += 4 + ((length + 3) & ~3)
  }
  return { linkType: words.u16(body, 0), perMs }
}

/** Undefined for one of an interface that is not known. A simple one has no time: it takes that of the one before. */
function frameOf(
  words: Words,
  type: number,
  body: Buffer,
  interfaces: readonly NgInterface[],
  beforeMs: number
): CapturedFrame | undefined {
  const at = type === NG_PACKET ? 20 : 4
  const its = interfaces[type === NG_PACKET ? words.u32(body, 0) : 0]
  if (its === undefined || body.length < at + 4) return undefined
  const whole = words.u32(body, at - 4)
  const length = type === NG_PACKET ? words.u32(body, 12) : Math.min(whole, body.length - 8)
  const timeMs = type === NG_PACKET ? (words.u32(body, 4) * 2 ** 32 + words.u32(body, 8)) / its.perMs : beforeMs
  return { timeMs, linkType: its.linkType, bytes: body.subarray(at, at + length) } // prettier-ignore
}
