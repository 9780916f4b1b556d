// Captures of network traffic, made by hand as their formats say.

export interface Captured {
  readonly timeUs: number
  readonly port: number
  readonly payload: Buffer
}

/** Ethernet (with a VLAN tag if wanted), IPv4 or IPv6, UDP. */
export function frameOf(
  { port, payload }: Captured,
  kind: 'ipv4' | 'ipv6' | 'vlan' | 'fragment' | 'tcp' = 'ipv4'
): Buffer {
  // prettier-ignore
  const udp = Buffer.alloc(8 + payload.length)
  udp.writeUInt16BE(40_000, 0)
  udp.writeUInt16BE(port, 2)
  udp.writeUInt16BE(udp.length, 4)
  payload.copy(udp, 8)
  const ip = kind === 'ipv6' ? Buffer.alloc(40) : Buffer.alloc(24)
  if (kind === 'ipv6') {
    ip[0] = 0x60
    ip[6] = 17
  } else {
    // With four bytes of options
    ip[0] = 0x46
    ip.writeUInt16BE(kind === 'fragment' ? 0x2000 : 0x4000, 6)
    ip[9] = kind === 'tcp' ? 6 : 17
  }
  const type = Buffer.alloc(2)
  type.writeUInt16BE(kind === 'ipv6' ? 0x86dd : 0x0800)
  const vlan = kind === 'vlan' ? Buffer.from([0x81, 0x00, 0x00, 0x05]) : Buffer.alloc(0)
  // Short frames are filled up
  return Buffer.concat([Buffer.alloc(12), vlan, type, ip, udp, Buffer.alloc(6)])
}

export function pcap(frames: readonly (readonly [timeUs: number, frame: Buffer])[], isBig = false): Buffer {
  const words = (...all: number[]): Buffer => {
    const buffer = Buffer.alloc(all.length * 4)
    for (const [i, word] of all.entries())
      if (isBig) buffer.writeUInt32BE(word, 4 * i)
      else buffer.writeUInt32LE(word, 4 * i)
    return buffer
  }
  const records = frames.map(([timeUs, frame]) => Buffer.concat([words(Math.floor(timeUs / 1e6), timeUs % 1e6, frame.length, frame.length), frame])) // prettier-ignore
  const version = isBig ? 0x0002_0004 : 0x0004_0002
  return Buffer.concat([words(0xa1b2c3d4, version, 0, 0, 65_535, 1), ...records])
}

/** With times in ns, and then frames without any (simple packets). */
export function pcapng(
  frames: readonly (readonly [timeUs: number, frame: Buffer])[],
  untimed: readonly Buffer[] = []
): Buffer {
  const block = (type: number, body: Buffer): Buffer => {
    const padded = Buffer.concat([body, Buffer.alloc(-body.length & 3)])
    const head = Buffer.alloc(8)
    head.writeUInt32LE(type)
    head.writeUInt32LE(padded.length + 12, 4)
    return Buffer.concat([head, padded, head.subarray(4)])
  }
  const section = Buffer.from('4d3c2b1a01000000ffffffffffffffff', 'hex')
  const itsInterface = Buffer.from('0100000000000000' + '0900010009000000' + '00000000', 'hex')
  const packets = frames.map(([timeUs, frame]) => {
    const ns = BigInt(timeUs) * 1000n
    const head = Buffer.alloc(20)
    head.writeUInt32LE(Number(ns >> 32n), 4)
    head.writeUInt32LE(Number(ns & 0xffff_ffffn), 8)
    head.writeUInt32LE(frame.length, 12)
    head.writeUInt32LE(frame.length, 16)
    return block(6, Buffer.concat([head, frame]))
  })
  const simple = untimed.map((frame) => {
    const length = Buffer.alloc(4)
    length.writeUInt32LE(frame.length)
    return block(3, Buffer.concat([length, frame]))
  })
  const head = [block(0x0a0d0d0a, section), block(1, itsInterface), block(0xbad, Buffer.alloc(5))]
  return Buffer.concat([...head, ...packets, ...simple])
}
