// What packets of an SNS stream say: pulses with their events, monitors, variables and values. Throws RangeError for one that is cut short.
import { formats } from '../service-adara/adara-kit.js'
import { type Vector } from '../../schemas/index.js'

/** Of events without a detector, or with a wrong one. */
const NO_BANK = 0xfffffffe
const OFFSET_UNITS = 0x7fffffff
const CORRECTED = 0x80000000
const NS_PER_UNIT = 100
const PC_PER_UNIT = 10

export interface ReadPulse {
  /** pC. */
  readonly chargePc: number
  /** By bank; times in ns. */
  readonly banks: ReadonlyMap<number, ReadEvents>
}
export interface ReadEvents {
  readonly timeOfFlight: Vector
  readonly pixelId: Vector
}

/** Two lists as they grow. */
class EventLists {
  readonly #times: number[] = []
  readonly #pixels: number[] = []

  add(timeNs: number, pixel: number): void {
    this.#times.push(timeNs)
    this.#pixels.push(pixel)
  }

  get vectors(): ReadEvents {
    return { timeOfFlight: int32(this.#times), pixelId: int32(this.#pixels) }
  }
}

const int32 = (values: readonly number[]): Vector => {
  const { buffer, length } = Int32Array.from(values)
  return { dtype: 'int32', length, bytes: new Uint8Array(buffer) }
}

/** The delay of a source, in units of 100 ns: 0 where its times are corrected for it. */
const delayOf = (word: number): number => ((word & CORRECTED) === 0 ? word & OFFSET_UNITS : 0)

export function readPulse(payload: Buffer): ReadPulse {
  const banks = new Map<number, EventLists>()
  let at = 16
  while (at < payload.length) {
    const delay = delayOf(payload.readUInt32LE(at + 8))
    const count = payload.readUInt32LE(at + 12)
    at += 16
    for (let i = 0; i < count; i++) {
      const bank = payload.readUInt32LE(at)
      const n = payload.readUInt32LE(at + 4)
      at += 8
      if (n * 8 > payload.length - at) throw new RangeError(`${n} events of bank ${bank} are not there`)
      if (bank < NO_BANK) addEvents(bankOf(banks, bank), payload, at, n, delay)
      at += 8 * n
    }
  }
  const list = [...banks].map(([bank, events]) => [bank, events.vectors] as const)
  return { chargePc: payload.readUInt32LE(0) * PC_PER_UNIT, banks: new Map(list) }
}

function addEvents(events: EventLists, payload: Buffer, from: number, n: number, delay: number): void {
  for (let k = 0; k < n; k++) {
    const at = from + 8 * k
    events.add((payload.readUInt32LE(at) + delay) * NS_PER_UNIT, payload.readUInt32LE(at + 4))
  }
}

function bankOf(banks: Map<number, EventLists>, bank: number): EventLists {
  const known = banks.get(bank) ?? new EventLists()
  banks.set(bank, known)
  return known
}

/** By monitor; the pixel is 0. */
export function readMonitors(payload: Buffer): ReadonlyMap<number, ReadEvents> {
  const monitors = new Map<number, EventLists>()
  let at = 16
  while (at < payload.length) {
    const head = payload.readUInt32LE(at)
    const delay = delayOf(payload.readUInt32LE(at + 8))
    const n = head & 0x3fffff
    at += 12
    if (n * 4 > payload.length - at) throw new RangeError(`${n} events of a monitor are not there`)
    const events = bankOf(monitors, head >>> 22)
    for (let k = 0; k < n; k++) events.add(((payload.readUInt32LE(at + 4 * k) & 0x1fffff) + delay) * NS_PER_UNIT, 0)
    at += 4 * n
  }
  return new Map([...monitors].map(([monitor, events]) => [monitor, events.vectors] as const))
}

export interface ReadVariable {
  readonly device: number
  readonly variable: number
  readonly name: string
  readonly units: string
}

/** Number of the run; 0 for none. */
export function readRun(payload: Buffer): number {
  const status = payload.readUInt32LE(8) >>> 24
  const isOver = status === 0 || status === 4
  return isOver ? 0 : payload.readUInt32LE(0)
}

export function readDevice(payload: Buffer): readonly ReadVariable[] {
  const device = payload.readUInt32LE(0)
  const text = payload.toString('utf8', 8, 8 + payload.readUInt32LE(4))
  const variables = text.match(/<process_variable>[^]*?<\/process_variable>/g) ?? []
  return variables.flatMap((part) => {
    const field = (name: string): string => plain(new RegExp(`<${name}>([^<]*)</${name}>`).exec(part)?.[1] ?? '')
    const id = Number(field('pv_id'))
    const name = field('pv_name')
    return name === '' || !Number.isInteger(id) ? [] : [{ device, variable: id, name, units: field('pv_units') }]
  })
}

const marks: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
const plain = (text: string): string => text.replace(/&(\w+);/g, (whole, mark: string) => marks[mark] ?? whole)

export interface ReadValue {
  readonly device: number
  readonly variable: number
  readonly status: number
  readonly severity: number
  readonly value: number | string
}

/** `format`: of a u32, a double or a text. */
export function readValue(format: number, payload: Buffer): ReadValue {
  const word = payload.readUInt32LE(8)
  const value =
    format === formats.u32
      ? payload.readUInt32LE(12)
      : format === formats.double
        ? payload.readDoubleLE(12)
        : textOf(payload)
  return {
    device: payload.readUInt32LE(0),
    variable: payload.readUInt32LE(4),
    status: word >>> 16,
    severity: word & 0xffff,
    value
  }
}

function textOf(payload: Buffer): string {
  const bytes = payload.readUInt32LE(12)
  if (bytes > payload.length - 16) throw new RangeError(`a text of ${bytes} bytes is not there`)
  return payload.toString('utf8', 16, 16 + bytes)
}
