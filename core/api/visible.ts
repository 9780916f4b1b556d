// Text from outside made safe to print: nothing in it can break a line, steer a terminal or turn the reading direction.

/** Control characters (C0, C1), line and paragraph separators, marks of writing direction. */
const unsafe = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

const hex = (char: string, digits: number): string => char.charCodeAt(0).toString(16).padStart(digits, '0')

/** `\x1b` and `\u2028` for what must not reach a line of text. */
export function visible(text: string): string {
  return text.replace(unsafe, (char) => (char < '\u0100' ? `\\x${hex(char, 2)}` : `\\u${hex(char, 4)}`))
}

/** The same for all but what stands in `kept`, a pattern with one group around it. */
export const visibleBut = (text: string, kept: RegExp): string =>
  text
    .split(kept)
    .map((part, i) => (i % 2 === 1 ? part : visible(part)))
    .join('')

/** The same for text that is JSON already: the escapes are those of JSON. */
export function visibleJson(json: string): string {
  return json.replace(unsafe, (char) => `\\u${hex(char, 4)}`)
}
