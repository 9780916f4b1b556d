// JSON read without loss: a number that a double, or its shortest form, would change keeps its text (`numberText`).
// JSON.parse does the work; what it would lose is found before and marked.
import { plainNumbers, wholeText } from '../core/api/json.js'

/** Nesting deeper than this is hostile, whatever it means. */
export const MAX_JSON_DEPTH = 256

/** Parses JSON; integers beyond 2^53, and texts such as 1.0 where they may be wanted, become what `numberText` reads. Throws SyntaxError. */
export function readJson(text: string): unknown {
  const places = new Scanner(text).places()
  if (places.length === 0) return JSON.parse(text)
  const parts: string[] = []
  let done = 0
  for (let i = 0; i < places.length; i += 2) {
    const [start = 0, end = 0] = places.slice(i, i + 2)
    parts.push(text.slice(done, start), '"\\u0000num:', text.slice(start, end), '"')
    done = end
  }
  parts.push(text.slice(done))
  try {
    return JSON.parse(parts.join(''))
  } catch (error) {
    JSON.parse(text) // The same complaint with the place in what was sent
    throw error
  }
}

/** Keys of commands that are taken as they are. */
const kept = ['nexus_structure', 'metadata']

/** As `readJson`, for a command or a list of commands: digits are kept where they may matter, everything else is plain. */
export function readCommandJson(text: string): unknown {
  return commandNumbers(readJson(text))
}

/** What `readCommandJson` makes of what `readJson` read. */
function commandNumbers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(commandNumbers)
  if (typeof value !== 'object' || value === null) return plainNumbers(value)
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      if (key === 'commands') return [key, commandNumbers(item)]
      return [key, kept.includes(key) ? item : plainNumbers(item)]
    })
  )
}

const [quote, backslash, comma, colon, minus, dot] = [0x22, 0x5c, 0x2c, 0x3a, 0x2d, 0x2e]
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d]

const isDigit = (c: number): boolean => c >= 0x30 && c <= 0x39
/** Of a number, after its first character. */
const isNumeric = (c: number): boolean =>
  isDigit(c) || c === dot || c === 0x65 || c === 0x45 || c === 0x2b || c === minus

/** What is known of an open list or object. */
const LIST = 1
/** A list with numbers whose text is not their shortest form, a list with texts. */
const ODD = 2
const TEXTS = 4
/** An object that says that its values are text. */
const TEXTUAL = 8
/** An object: a value comes next; it is that of `dtype` or `type`, of `dataset`. */
const VALUE = 16
const TYPE = 32
const DATASET = 64

/** Finds numbers to mark in JSON that may well be broken: what is wrong with it JSON.parse says. */
class Scanner {
  readonly #flags = new Uint8Array(MAX_JSON_DEPTH + 1)
  readonly #starts = new Float64Array(MAX_JSON_DEPTH + 1)
  #depth = 0
  #found: number[] = []
  /** Lists of objects that are still open: depth, start, end. */
  #pending: number[] = []
  #sorted = true

  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** Start and end of each number to mark, ascending. */
  places(): readonly number[] {
    const text = this.#text
    for (let at = 0; at < text.length;) at = this.#step(at, text.charCodeAt(at))
    if (this.#sorted) return this.#found
    const pairs = Array.from({ length: this.#found.length / 2 }, (_, i) => this.#found.slice(2 * i, 2 * i + 2))
    return pairs.sort(([a = 0], [b = 0]) => a - b).flat()
  }

  /** Returns where to go on. */
  #step(at: number, c: number): number {
    if (c === quote) return this.#string(at)
    if (c === minus || isDigit(c)) return this.#number(at)
    if (c === openList || c === openObject) this.#open(at, c === openList ? LIST : 0)
    else if (c === closeList || c === closeObject) this.#close(at + 1)
    else if (c === colon) this.#flags[this.#depth]! |= VALUE
    else if (c === comma) this.#flags[this.#depth]! &= ~(VALUE | TYPE | DATASET)
    return at + 1
  }

  #open(at: number, flags: number): void {
    if (++this.#depth > MAX_JSON_DEPTH) throw new SyntaxError(`nested deeper than ${MAX_JSON_DEPTH} levels`)
    this.#flags[this.#depth] = flags
    this.#starts[this.#depth] = at
  }

  #close(end: number): void {
    if (this.#depth === 0) return
    const flags = this.#flags[this.#depth]!
    const start = this.#starts[this.#depth]!
    const above = this.#flags[--this.#depth]!
    if ((flags & LIST) === 0) {
      this.#settle((flags & TEXTUAL) !== 0)
      if ((flags & TEXTUAL) !== 0 && (above & DATASET) !== 0) this.#flags[this.#depth]! |= TEXTUAL
    } else if ((above & LIST) !== 0) this.#flags[this.#depth]! |= flags & (ODD | TEXTS)
    else if ((flags & (ODD | TEXTS)) === (ODD | TEXTS)) this.#rescan(start, end)
    else if ((flags & ODD) !== 0) this.#pending.push(this.#depth, start, end)
  }

  /** The object below has ended: its lists are of text or not. */
  #settle(textual: boolean): void {
    const pending = this.#pending
    while (pending.length > 0 && pending[pending.length - 3]! > this.#depth) {
      const [, start = 0, end = 0] = pending.splice(-3)
      if (textual) this.#rescan(start, end)
    }
  }

  #string(at: number): number {
    const depth = this.#depth,
      text = this.#text
    let end = text.indexOf('"', at + 1)
    while (end > 0 && this.#isEscaped(end)) end = text.indexOf('"', end + 1)
    if (end < 0) return text.length
    const flags = this.#flags[depth]!
    if ((flags & LIST) !== 0) this.#flags[depth]! |= TEXTS
    else if ((flags & VALUE) === 0) this.#key(end - at > 8 ? '' : text.slice(at + 1, end))
    else if ((flags & TYPE) !== 0 && /^(?:string|str|c_string)$/i.test(text.slice(at + 1, end)))
      this.#flags[depth]! |= TEXTUAL
    return end + 1
  }

  #isEscaped(at: number): boolean {
    let before = at - 1
    while (this.#text.charCodeAt(before) === backslash) before--
    return (at - before) % 2 === 0
  }

  #key(name: string): void {
    if (name === 'dtype' || name === 'type') this.#flags[this.#depth]! |= TYPE
    else if (name === 'dataset') this.#flags[this.#depth]! |= DATASET
  }

  #number(at: number): number {
    const depth = this.#depth,
      text = this.#text
    let end = at + 1
    let digits = true
    for (; end < text.length; end++) {
      const c = text.charCodeAt(end)
      if (isDigit(c)) continue
      if (!isNumeric(c)) break
      digits = false
    }
    if (digits && end - at < 16 && text.charCodeAt(at) !== minus) return end
    const inList = (this.#flags[depth]! & LIST) !== 0
    if (isLong(text, at, end, digits)) this.#found.push(at, end)
    else if (inList && (!digits || text.charCodeAt(at) === minus)) this.#flags[depth]! |= ODD
    else if (!inList && isOdd(text.slice(at, end))) this.#found.push(at, end)
    return end
  }

  /** Marks what `number` left in a list. */
  #rescan(start: number, end: number): void {
    const text = this.#text
    for (const { index, 0: found } of text.slice(start, end).matchAll(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g)) {
      const at = start + index
      if (found.startsWith('"') || isLong(text, at, at + found.length, /^-?\d+$/.test(found)) || !isOdd(found)) continue
      this.#found.push(at, at + found.length)
      this.#sorted = false
    }
  }
}

/** An integer that a double cannot hold; what is no number is left for JSON.parse to refuse. */
function isLong(text: string, at: number, end: number, digits: boolean): boolean {
  if (!digits || end - at < 16) return false
  const found = text.slice(at, end)
  return !Number.isSafeInteger(Number(found)) && wholeText.test(found)
}

/** Whether a number would be written in another way than it was. */
function isOdd(text: string): boolean {
  const value = Number(text)
  return (Object.is(value, -0) || String(value) !== text) && wholeText.test(text)
}
