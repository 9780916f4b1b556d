// Changes an input at random: bytes, numbers, lengths, words of the code, pieces of other inputs; of text also whole JSON values.
import { nasty } from '../support/random.js'

export type Pick = (below: number) => number

export interface Material {
  readonly words: readonly Buffer[]
  readonly others: readonly Buffer[]
  readonly isText: boolean
  readonly maxLength: number
}

type Change = (bytes: Buffer, pick: Pick, material: Material) => Buffer

/** Bytes [from, to) replaced. */
const exchanged = (bytes: Buffer, from: number, to: number, by: Uint8Array): Buffer =>
  Buffer.concat([bytes.subarray(0, from), by, bytes.subarray(to)])

/** A range of the input, short ones more often. */
function range(bytes: Buffer, pick: Pick): [number, number] {
  const from = pick(bytes.length + 1)
  const most = Math.min(bytes.length - from, 1 << pick(11))
  return [from, from + pick(most + 1)]
}

const inPlace =
  (change: (bytes: Buffer, pick: Pick) => void): Change =>
  (bytes, pick) => {
    if (bytes.length > 0) change(bytes, pick)
    return bytes
  }

function writeNumber(bytes: Buffer, at: number, width: number, value: number, isBig: boolean): void {
  for (let i = 0; i < width && at + i < bytes.length; i++) bytes[at + i] = value >>> (8 * (isBig ? width - 1 - i : i))
}

const flip = inPlace((bytes, pick) => (bytes[pick(bytes.length)]! ^= 1 << pick(8)))
const set = inPlace((bytes, pick) => (bytes[pick(bytes.length)] = pick(256)))
const near = inPlace((bytes, pick) => (bytes[pick(bytes.length)]! += pick(35) - 17))
const number = inPlace((bytes, pick) =>
  writeNumber(bytes, pick(bytes.length), 1 << pick(3), nasty[pick(nasty.length)]! + pick(3) - 1, pick(2) === 0)
)
/** A length or offset that points at about the end. */
const length = inPlace((bytes, pick) => {
  const at = pick(bytes.length)
  writeNumber(bytes, at, 1 << pick(3), Math.max(0, bytes.length - at - pick(16)), pick(2) === 0)
})
const cut: Change = (bytes, pick) => bytes.subarray(0, pick(bytes.length + 1))
const remove: Change = (bytes, pick) => exchanged(bytes, ...range(bytes, pick), Buffer.alloc(0))
const repeat: Change = (bytes, pick) => {
  const [from, to] = range(bytes, pick)
  const at = pick(bytes.length + 1)
  return exchanged(bytes, at, at, bytes.subarray(from, to))
}
const move: Change = (bytes, pick) => {
  const [from, to] = range(bytes, pick)
  bytes.copy(bytes, pick(bytes.length + 1), from, to)
  return bytes
}
const insert: Change = (bytes, pick) => {
  const at = pick(bytes.length + 1)
  return exchanged(bytes, at, at, Buffer.alloc(1 + pick(16), pick(256)))
}
const word: Change = (bytes, pick, { words }) => {
  const one = words[pick(words.length)]
  if (one === undefined) return bytes
  const at = pick(bytes.length + 1)
  return exchanged(bytes, at, pick(2) === 0 ? at : Math.min(bytes.length, at + one.length), one)
}
const splice: Change = (bytes, pick, { others }) => {
  const other = others[pick(others.length)]
  return other === undefined ? bytes : exchanged(bytes, ...range(bytes, pick), other.subarray(...range(other, pick)))
}

/** From a place on the JSON value that begins there: a string, a list, an object or what else stands until a comma. */
function valueAt(bytes: Buffer, pick: Pick): [number, number] {
  const start = pick(bytes.length + 1)
  let from = start
  while (from < bytes.length && !/["[{\w-]/.test(String.fromCharCode(bytes[from]!))) from++
  let to = from
  let depth = 0
  let isText = false
  for (; to < bytes.length; to++) {
    const one = bytes[to]
    if (one === 0x22 && bytes[to - 1] !== 0x5c) isText = !isText
    if (isText) continue
    if (one === 0x5b || one === 0x7b) depth++
    else if (one === 0x5d || one === 0x7d) depth--
    if (depth < 0 || (depth === 0 && (one === 0x2c || one === 0x3a))) break
    if (depth === 0 && (one === 0x22 || one === 0x5d || one === 0x7d) && to > from) return [from, to + 1]
  }
  return [from, to]
}
const values = ['null', 'true', '0', '-1', '1e308', '1e400', '-0', '18446744073709551615', '9007199254740993', '0.1', '""', '"\\u0000"', '"\\ud800"', '"__proto__"', '"/"', '"../x"', '[]', '{}', '[[]]', '[{}]', '{"a":1}', 'NaN', '1970-01-01', '"1970-01-01T00:00:00Z"'].map((one) => Buffer.from(one)) // prettier-ignore
const value: Change = (bytes, pick, { words, others }) => {
  const [from, to] = valueAt(bytes, pick)
  const kind = pick(4)
  const other = others[pick(others.length)] ?? bytes
  if (kind === 0) return exchanged(bytes, from, to, other.subarray(...valueAt(other, pick)))
  if (kind === 1) return exchanged(bytes, to, to, Buffer.concat([Buffer.from(','), bytes.subarray(from, to)]))
  const one = kind === 2 ? Buffer.from(JSON.stringify(words[pick(words.length)]?.toString() ?? '')) : values[pick(values.length)]! // prettier-ignore
  return exchanged(bytes, from, to, one)
}

const ofBytes = [flip, set, near, number, number, length, cut, remove, repeat, move, insert, word, word, splice, splice]
const ofText = [value, value, value, value, value, flip, set, remove, repeat, word, word, splice, cut]

/** A changed copy. */
export function mutate(input: Buffer, pick: Pick, material: Material): Buffer {
  const changes = material.isText ? ofText : ofBytes
  let bytes: Buffer = Buffer.from(input)
  for (let n = 1 << pick(4); n > 0; n--) bytes = changes[pick(changes.length)]!(bytes, pick, material)
  return bytes.length > material.maxLength ? bytes.subarray(0, material.maxLength) : bytes
}
