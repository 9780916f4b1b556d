// Bytes of EPICS strings to text: UTF-8, or Latin-1 when they are not (old databases write µ and ° that way).

const BROKEN = '\ufffd'

/** Text of `bytes[start, end)` up to the first NUL. A character cut off at the end (40-byte strings) is left out. */
export function textOf(bytes: Buffer, start: number, end: number): string {
  const nul = bytes.indexOf(0, start)
  const stop = nul < 0 || nul > end ? end : nul
  const text = bytes.toString('utf8', start, stop)
  return text.includes(BROKEN) ? repaired(bytes, start, stop, text) : text
}

function repaired(bytes: Buffer, start: number, stop: number, text: string): string {
  for (let cut = 1; cut <= 3 && stop - cut >= start; cut++) {
    // Only a lead byte with too few bytes after it is a cut character.
    const lead = bytes[stop - cut] ?? 0
    if (lead >= 0xc0) {
      const wanted = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2
      const whole = bytes.toString('utf8', start, stop - cut)
      if (cut < wanted && whole !== '' && !whole.includes(BROKEN)) return whole
      break
    }
    if (lead < 0x80) break
  }
  const isRealReplacement = Buffer.from(text, 'utf8').equals(bytes.subarray(start, stop))
  return isRealReplacement ? text : bytes.toString('latin1', start, stop)
}
