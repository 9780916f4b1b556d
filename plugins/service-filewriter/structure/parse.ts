// JSON text of a structure: integers beyond 2^53 survive as marked strings; size and depth are bounded.

/** Marks an integer that a double cannot hold; NUL cannot occur in any text that we store. */
const mark = '\0int:'

/** The integer behind a marked string; undefined for any other text. */
export const integerText = (text: string): bigint | undefined =>
  text.startsWith(mark) && /^-?\d{1,20}$/.test(text.slice(mark.length)) ? BigInt(text.slice(mark.length)) : undefined

const token = /"(?:[^"\\]|\\.)*"|-?\d{16,20}(?![\d.eE])/g

/** Parses JSON text. Throws SyntaxError. */
export function parseJson(text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text)
  const safe = text.replaceAll(token, (found) => {
    if (found.startsWith('"') || Number.isSafeInteger(Number(found))) return found
    return `"\\u0000int:${found}"`
  })
  return JSON.parse(safe)
}
