// The UDP datagram in a captured frame.

export interface Datagram {
  readonly port: number
  readonly payload: Buffer
}
/** Why a frame has none that can be sent again. */
export type NoDatagram = 'other' | 'fragment' | 'cut'

const ETHERNET_IPV4 = 0x0800
const ETHERNET_IPV6 = 0x86dd
const VLANS = [0x8100, 0x88a8, 0x9100]
const UDP = 17
const IPV6_HEAD = 40
const UDP_HEAD = 8

/** Where the IP packet begins; -1 when there is none. */
function ipAt(linkType: number, frame: Buffer): number {
  if (linkType === 101 || linkType === 228 || linkType === 229) return 0
  // BSD's loopback: a number of the protocol family
  if (linkType === 0 || linkType === 108) return 4
  // Ethernet, and Linux's frames of any interface, old and new
  const typeAt = { 1: 12, 113: 14, 276: 0 }[linkType]
  if (typeAt === undefined) return -1
  let at = typeAt
  while (at + 4 <= frame.length && VLANS.includes(frame.readUInt16BE(at))) at += 4
  if (at + 2 > frame.length) return -1
  const type = frame.readUInt16BE(at)
  if (type !== ETHERNET_IPV4 && type !== ETHERNET_IPV6) return -1
  return linkType === 276 ? 20 : at + 2
}

export function datagramOf(linkType: number, frame: Buffer): Datagram | NoDatagram {
  const ip = ipAt(linkType, frame)
  if (ip < 0 || ip + 20 > frame.length) return 'other'
  const version = frame[ip]! >> 4
  let udp = ip + IPV6_HEAD
  if (version === 4) {
    if (frame[ip + 9] !== UDP) return 'other'
    // More fragments, or not the first one
    if ((frame.readUInt16BE(ip + 6) & 0x3fff) !== 0) return 'fragment'
    udp = ip + 4 * (frame[ip]! & 15)
  } else if (version !== 6 || frame[ip + 6] !== UDP) return frame[ip + 6] === 44 && version === 6 ? 'fragment' : 'other'
  if (udp + UDP_HEAD > frame.length) return 'cut'
  const length = frame.readUInt16BE(udp + 4)
  if (length < UDP_HEAD) return 'other'
  // Padding behind it does not matter
  if (udp + length > frame.length) return 'cut'
  return { port: frame.readUInt16BE(udp + 2), payload: frame.subarray(udp + UDP_HEAD, udp + length) }
}
