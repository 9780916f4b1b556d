// Bytes of EPICS strings to text: UTF-8, or Latin-1 when they are not (old databases write µ and ° that way).

const BROKEN = '\ufffd'

/** Text in a field of fixed size, bytes[start, end), up to the first NUL; a character that did not fit whole is left out. */
export function textOf(bytes: Buffer, start: number, end: number): string {
  const nul = bytes.indexOf(0, start)
  const stop = nul < 0 || nul > end ? end : nul
  return decodeText(bytes, start, stop, stop >= end - 1)
}

/** Text of an array of characters, up to the first NUL. */
export function textOfBytes(array: Uint8Array): string {
  const bytes = Buffer.from(array.buffer, array.byteOffset, array.byteLength)
  const nul = bytes.indexOf(0)
  return decodeText(bytes, 0, nul < 0 ? bytes.length : nul, false)
}

/** All of bytes[start, stop); `isCut`: it may end within a character, which is left out then. */
export function decodeText(bytes: Buffer, start: number, stop: number, isCut: boolean): string {
  const text = bytes.toString('utf8', start, stop)
  return text.includes(BROKEN) ? repaired(bytes.subarray(start, stop), text, isCut) : text
}

function repaired(bytes: Buffer, text: string, isCut: boolean): string {
  const whole = withoutCut(bytes)
  // A last ü of Latin-1 looks like a cut character, unless others before it are UTF-8.
  if (whole !== undefined && whole !== '' && (isCut || /[^\0-\x7f]/.test(whole))) return whole
  const isRealReplacement = Buffer.from(text, 'utf8').equals(bytes)
  return isRealReplacement ? text : bytes.toString('latin1')
}

/** The text before a last character that lacks bytes; undefined: that is not what is wrong. */
function withoutCut(bytes: Buffer): string | undefined {
  for (let cut = 1; cut <= Math.min(3, bytes.length); cut++) {
    const lead = bytes[bytes.length - cut] ?? 0
    if (lead < 0x80) return undefined
    if (lead < 0xc0) continue
    const wanted = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2
    const whole = bytes.toString('utf8', 0, bytes.length - cut)
    return cut < wanted && !whole.includes(BROKEN) ? whole : undefined
  }
  return undefined
}
