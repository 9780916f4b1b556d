// New-style group content, which alone can hold external links: a block of link messages (File Format Specification, IV.A.2.c, g and k).
import { MESSAGE, message, put64, UNDEFINED, zeroed } from './messages.js'

/** A link as its message holds it; `target` of an external one is `FILE:PATH`. */
export type FileLink =
  { readonly kind: 'hard'; readonly address: number } | { readonly kind: 'soft' | 'external'; readonly target: string }

const TYPE = { soft: 1, external: 64 } as const
const FLAG = { longName: 0x01, type: 0x08, charset: 0x10 } as const
const UTF8 = 1
const notAscii = /[^\0-\x7f]/

/** Link Info: no fractal heap, no index, so all links are messages of the header. */
function linkInfo(): Buffer {
  const out = zeroed(18)
  out.writeBigUInt64LE(UNDEFINED, 2)
  out.writeBigUInt64LE(UNDEFINED, 10)
  return message(MESSAGE.linkInfo, out)
}

/** Version 0 without estimates: the library's defaults hold. */
const groupInfo = (): Buffer => message(MESSAGE.groupInfo, zeroed(2))

/** The messages of all links of a group. */
export function linkMessages(links: Iterable<readonly [name: string, link: FileLink]>): Buffer[] {
  const out = [linkInfo(), groupInfo()]
  for (const [name, link] of links) out.push(linkMessage(name, link))
  return out
}

function linkMessage(name: string, link: FileLink): Buffer {
  const label = Buffer.from(name)
  const long = label.length > 255
  const charset = notAscii.test(name)
  const head = [
    1,
    (long ? FLAG.longName : 0) | (link.kind === 'hard' ? 0 : FLAG.type) | (charset ? FLAG.charset : 0),
    ...(link.kind === 'hard' ? [] : [TYPE[link.kind]]),
    ...(charset ? [UTF8] : []),
    ...(long ? [label.length & 0xff, label.length >> 8] : [label.length])
  ]
  return message(MESSAGE.link, Buffer.concat([Buffer.from(head), label, content(link)]))
}

function content(link: FileLink): Buffer {
  if (link.kind === 'hard') {
    const out = Buffer.allocUnsafe(8)
    put64(out, link.address, 0)
    return out
  }
  const { target } = link
  // The path is absolute and the last part: file names may hold colons
  const colon = target.lastIndexOf(':')
  const text = link.kind === 'soft' ? target : `\0${target.slice(0, colon)}\0${target.slice(colon + 1)}\0` // Version and flags 0
  const bytes = Buffer.from(text)
  const size = Buffer.allocUnsafe(2)
  size.writeUInt16LE(bytes.length, 0)
  return Buffer.concat([size, bytes])
}
