// JSON out without loss: a number that a double, or its shortest form, would change is a text with a mark that holds its digits.
// So values stay plain: they can be cloned, checked and stored. Who reads such JSON marks them (schemas/json-text.ts).

/** Marks the text of a number; no text that can be stored holds NUL. */
const mark = '\0num:'

const number = '-?(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?(?:[eE][+-]?[0-9]+)?'
/** The text of a number as JSON has it. */
export const wholeText = new RegExp(`^${number}$`)
/** A marked number as JSON text has it; as a key it is no number. */
const written = new RegExp(`"\\\\u0000num:(${number})"(?!:)`, 'g')

/** The digits as they were sent, of a number that keeps them; undefined for anything else. */
export function numberText(value: unknown): string | undefined {
  if (typeof value !== 'string' || !value.startsWith(mark)) return undefined
  const text = value.slice(mark.length)
  return wholeText.test(text) ? text : undefined
}

/** An integer as `writeJson` writes it with all its digits; as a bigint it would become a text. */
export const wholeNumber = (value: bigint): string => `${mark}${value}`

/** JSON text of what `readJson` made: numbers as they were sent, bigints as text, and -0 is -0.0. */
export function writeJson(value: unknown, indent?: number): string {
  const plain = (_key: string, item: unknown): unknown =>
    typeof item === 'bigint' ? String(item) : Object.is(item, -0) ? `${mark}-0.0` : item
  const text = JSON.stringify(value, plain, indent)
  return text.includes('\\u0000num:') ? text.replaceAll(written, '$1') : text
}

/** A copy with ordinary numbers only: for what is checked against a schema. */
export function plainNumbers(value: unknown): unknown {
  if (typeof value === 'string') {
    const text = numberText(value)
    return text === undefined ? value : Number(text)
  }
  if (Array.isArray(value)) return value.map(plainNumbers)
  if (typeof value !== 'object' || value === null) return value
  // fromEntries makes own keys of whatever a hostile sender names
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainNumbers(item)]))
}
