// The newer header of ISIS' boards, big-endian: it names the form of the events, tells what the board adds, and has a length of its own.
import { gpsTime, MARKER } from './header.js'

/** Words that all have, and the checksum. */
const LEAST_WORDS = 14
export const LEAST_BYTES = 4 * LEAST_WORDS

/** Lowest byte of the third word, whose bits are low for what is so. */
export const flags = { neutrons: 0xff, end: 0xfe, vetoes: 0xfd, pause: 0xfb } as const

export interface NewHeader {
  readonly format: number
  /** Words of the header, and of all of the message, as the board says. */
  readonly words: number
  readonly length: number
  readonly flags: number
  /** ns since 1970; undefined for what is no time. */
  readonly timeNs: bigint | undefined
  readonly frame: number
  /** From 0: upper and lower half of the word. */
  readonly upper: number
  readonly lower: number
  readonly protons: number
  readonly vetoes: number
  readonly delay: number
}

/** Undefined where no marker is. There must be room for LEAST_BYTES. */
export function readNewHeader(view: DataView, at: number): NewHeader | undefined {
  const word = (i: number): number => view.getUint32(at + 4 * i)
  const second = word(1)
  if (word(0) !== MARKER || second >>> 24 !== 0xff) return undefined
  return {
    format: (second >>> 8) & 0xffff,
    words: second & 0xff,
    length: (word(8) >>> 16) & 0xfff,
    flags: word(2) & 0xff,
    timeNs: gpsTime(word(3), word(4)),
    frame: word(5),
    upper: word(6) >>> 16,
    lower: word(6) & 0xffff,
    protons: word(8) & 0xff,
    vetoes: word(9),
    delay: word(12)
  }
}

export const hasSoundLength = ({ words, length }: NewHeader): boolean => words >= LEAST_WORDS && length >= words

/** How the events of format 1 are made up: what the board adds to its header. */
export interface EventForm {
  readonly channelBits: number
  readonly positionBits: number
  readonly firstId: number
}

const FORM_AT = 13 * 4
const FORM_WORDS = LEAST_WORDS + 2

/** Undefined where it is none. */
export function eventForm(view: DataView, at: number, { format, words }: NewHeader): EventForm | undefined {
  if (format !== 1 || words !== FORM_WORDS) return undefined
  const [channelBits, positionBits] = [view.getUint8(at + FORM_AT + 1), view.getUint8(at + FORM_AT + 3)]
  if (channelBits > 32 || positionBits > 31) return undefined
  return { channelBits, positionBits, firstId: view.getUint32(at + FORM_AT + 4) }
}
