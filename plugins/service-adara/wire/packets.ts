// Packets of ADARA, the live protocol of SNS: from what happened to bytes. Little-endian, whole words of 4 bytes.

/** 1990-01-01 in seconds since 1970: times on the wire count from there. */
export const EPOCH_S = 631_152_000n
export const HEADER_BYTES = 16
const SECOND_NS = 1_000_000_000n

/** The type << 8 | version. */
export const formats = {
  bankedEvents: 0x400001,
  monitorEvents: 0x400101,
  runStatus: 0x400300,
  runInfo: 0x400400,
  hello: 0x400600,
  helloFlags: 0x400601,
  annotation: 0x400700,
  heartbeat: 0x400900,
  geometry: 0x400a00,
  beamline: 0x400b01,
  dataDone: 0x400c00,
  device: 0x800000,
  u32: 0x800100,
  double: 0x800200,
  text: 0x800300
} as const

export const runStatus = { none: 0, begin: 1, fileEnd: 2, fileBegin: 3, end: 4, joined: 5 } as const
export const annotations = { none: 0, scanStart: 1, scanStop: 2, pause: 3, resume: 4, comment: 5 } as const

/** Of a value whose source is gone: alarm status. */
export const DISCONNECTED = 0xfffe
const INVALID = 3

/** Times that the wire can say: 1990 to 2126. Others would come out as times that they are not. */
export const isWireTime = (timeNs: bigint): boolean =>
  timeNs >= EPOCH_S * SECOND_NS && timeNs < (EPOCH_S + 2n ** 32n) * SECOND_NS

const padded = (bytes: number): number => (bytes + 3) & ~3

/** A packet of so many payload bytes, its header written, the rest 0. */
function packet(format: number, timeNs: bigint, bytes: number): Buffer {
  const out = Buffer.alloc(HEADER_BYTES + padded(bytes))
  writeHeader(out, format, timeNs, padded(bytes))
  return out
}

/** A time that the wire cannot say becomes the nearest: what a client is told must not end the stream of all. */
function writeHeader(out: Buffer, format: number, timeNs: bigint, bytes: number): void {
  const sinceEpoch = timeNs - EPOCH_S * SECOND_NS
  const ns = isWireTime(timeNs) ? sinceEpoch : sinceEpoch < 0n ? 0n : 2n ** 32n * SECOND_NS - 1n
  out.writeUInt32LE(bytes, 0)
  out.writeUInt32LE(format, 4)
  out.writeUInt32LE(Number(ns / SECOND_NS), 8)
  out.writeUInt32LE(Number(ns % SECOND_NS), 12)
}

function words(format: number, timeNs: bigint, values: readonly number[]): Buffer {
  const out = packet(format, timeNs, 4 * values.length)
  for (const [i, value] of values.entries()) out.writeUInt32LE(value >>> 0, HEADER_BYTES + 4 * i)
  return out
}

/** Words, then the bytes of a text. */
function wordsAndText(format: number, timeNs: bigint, values: readonly number[], text: Buffer): Buffer {
  const out = packet(format, timeNs, 4 * values.length + text.length)
  for (const [i, value] of values.entries()) out.writeUInt32LE(value >>> 0, HEADER_BYTES + 4 * i)
  text.copy(out, HEADER_BYTES + 4 * values.length)
  return out
}

export interface Beamline {
  /** Target station. */
  readonly station: number
  readonly id: string
  readonly short: string
  /** Mantid takes it for the name of the instrument. */
  readonly long: string
}

export function beamlinePacket(timeNs: bigint, { station, id, short, long }: Beamline): Buffer {
  const texts = [id, short, long].map((text) => Buffer.from(text).subarray(0, 255))
  const [a = 0, b = 0, c = 0] = texts.map(({ length }) => length)
  const word = ((station & 0xff) << 24) | (a << 16) | (b << 8) | c
  return wordsAndText(formats.beamline, timeNs, [word], Buffer.concat(texts))
}

/** A text with its length before it: geometry (IDF), run info. */
export function textPacket(format: number, timeNs: bigint, text: string): Buffer {
  const bytes = Buffer.from(text)
  return wordsAndText(format, timeNs, [bytes.length], bytes)
}

/** The same of a text that is large and does not change: its bytes are made once, and shared by all that wait to be sent. */
export class SharedText {
  readonly #payload: Buffer
  readonly #format: number

  constructor(format: number, text: string) {
    const bytes = Buffer.from(text)
    this.#format = format
    this.#payload = Buffer.alloc(padded(4 + bytes.length))
    this.#payload.writeUInt32LE(bytes.length, 0)
    bytes.copy(this.#payload, 4)
  }

  /** One packet in two parts. */
  packet(timeNs: bigint): [Buffer, Buffer] {
    const head = Buffer.alloc(HEADER_BYTES)
    writeHeader(head, this.#format, timeNs, this.#payload.length)
    return [head, this.#payload]
  }
}

export interface RunState {
  readonly status: number
  readonly run: number
  /** ns since 1970. */
  readonly startNs: bigint
  /** Number of the file of the run, from 1. */
  readonly file: number
}

export function runStatusPacket(timeNs: bigint, { status, run, startNs, file }: RunState): Buffer {
  const start = run === 0 ? 0 : Number(BigInt.asUintN(32, startNs / SECOND_NS - EPOCH_S))
  return words(formats.runStatus, timeNs, [run, start, (status << 24) | file])
}

/** What a pulse is, whatever was counted on it. */
export interface AdaraPulse {
  readonly timeNs: bigint
  /** pC. */
  readonly chargePc: number
  /** eV. */
  readonly energyEv: number
  readonly cycle: number
  /** 12 bits. */
  readonly vetoes: number
}

const pulseWords = ({ chargePc, energyEv, cycle, vetoes }: AdaraPulse): number[] => [
  Math.min(0xffffffff, Math.round(chargePc / 10)),
  energyEv,
  cycle,
  ((vetoes & 0xfff) << 20) >>> 0
]

/** Times in units of 100 ns: one that is corrected already for the delay of its source. */
const CORRECTED = 0x80000000

export interface AdaraBank {
  readonly bank: number
  /** 100 ns after the pulse, and pixel, in turns. */
  readonly events: Uint32Array
}
export interface AdaraSource {
  readonly source: number
  /** ns. */
  readonly pulseLengthNs: number
  readonly banks: readonly AdaraBank[]
}

export function bankedEventsPacket(pulse: AdaraPulse, sources: readonly AdaraSource[]): Buffer {
  const total = sources.reduce(
    (sum, { banks }) => sum + 16 + banks.reduce((all, { events }) => all + 8 + events.byteLength, 0),
    16
  )
  const out = packet(formats.bankedEvents, pulse.timeNs, total)
  let at = HEADER_BYTES
  const put = (value: number): void => {
    at = out.writeUInt32LE(value >>> 0, at)
  }
  for (const word of pulseWords(pulse)) put(word)
  for (const { source, pulseLengthNs, banks } of sources) {
    for (const word of [source, Math.floor(pulseLengthNs / 100), CORRECTED, banks.length]) put(word)
    for (const { bank, events } of banks) {
      put(bank)
      put(events.length / 2)
      for (const word of events) put(word)
    }
  }
  return out
}

export interface AdaraMonitor {
  readonly monitor: number
  readonly source: number
  /** 100 ns after the pulse. */
  readonly times: Uint32Array
}

const RISING = 0x80000000
const MOST_MONITOR_EVENTS = 2 ** 22 - 1
/** Above it a time does not fit beside the cycle: 0.2 s. */
export const MOST_MONITOR_TIME = 2 ** 21 - 1

export function monitorEventsPacket(pulse: AdaraPulse, monitors: readonly AdaraMonitor[]): Buffer {
  const list = monitors.flatMap(({ monitor, source, times }) => {
    const counted = times.subarray(0, MOST_MONITOR_EVENTS)
    const head = [((monitor << 22) | counted.length) >>> 0, source, CORRECTED]
    const cycle = (pulse.cycle & 0x3ff) << 21
    return [...head, ...Array.from(counted, (time) => (RISING | cycle | (time & MOST_MONITOR_TIME)) >>> 0)]
  })
  return words(formats.monitorEvents, pulse.timeNs, [...pulseWords(pulse), ...list])
}

export interface AdaraVariable {
  readonly id: number
  readonly name: string
  readonly type: 'double' | 'unsigned' | 'string'
  readonly units: string
}

const marks: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' }
export const xml = (text: string): string =>
  // Other control characters have no place in XML
  text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '?').replace(/[&<>"']/g, (mark) => marks[mark] ?? mark)

export function devicePacket(
  timeNs: bigint,
  device: number,
  name: string,
  variables: readonly AdaraVariable[]
): Buffer {
  const list = variables.map(
    (one) =>
      `<process_variable><pv_name>${xml(one.name)}</pv_name><pv_id>${one.id}</pv_id><pv_type>${one.type}</pv_type><pv_units>${xml(one.units)}</pv_units></process_variable>`
  )
  const text = `<?xml version="1.0"?><device><device_name>${xml(name)}</device_name><process_variables>${list.join('')}</process_variables></device>`
  const bytes = Buffer.from(text)
  return wordsAndText(formats.device, timeNs, [device, bytes.length], bytes)
}

export interface AdaraValue {
  readonly device: number
  readonly variable: number
  readonly value: number | string
  /** EPICS numbers. */
  readonly status: number
  readonly severity: number
}

export function valuePacket(timeNs: bigint, type: AdaraVariable['type'], given: AdaraValue): Buffer {
  const { device, variable, value, status, severity } = given
  const head = [device, variable, ((status << 16) | severity) >>> 0]
  if (type === 'string') {
    const bytes = Buffer.from(String(value))
    return wordsAndText(formats.text, timeNs, [...head, bytes.length], bytes)
  }
  if (type === 'unsigned') return words(formats.u32, timeNs, [...head, Number(value)])
  const out = packet(formats.double, timeNs, 20)
  for (const [i, word] of head.entries()) out.writeUInt32LE(word, HEADER_BYTES + 4 * i)
  out.writeDoubleLE(Number(value), HEADER_BYTES + 12)
  return out
}

export const disconnected = { status: DISCONNECTED, severity: INVALID } as const

export function annotationPacket(timeNs: bigint, type: number, text: string, scan = 0): Buffer {
  const bytes = Buffer.from(text).subarray(0, 0xffff)
  return wordsAndText(formats.annotation, timeNs, [((type << 16) | bytes.length) >>> 0, scan], bytes)
}

export const emptyPacket = (format: number, timeNs: bigint): Buffer => packet(format, timeNs, 0)

/** The first packet of a client; the stream begins now. */
export const helloPacket = (timeNs: bigint): Buffer => words(formats.hello, timeNs, [0])
