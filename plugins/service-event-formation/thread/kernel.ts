// What the kernel tells of a UDP socket: bytes that wait, and packets it had no room for.
import { readFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'

export interface KernelState {
  readonly waiting: number
  readonly drops: number
}

const hex = (byte: number): string => byte.toString(16).padStart(2, '0').toUpperCase()

/** As /proc/net/udp (or udp6) writes an address: hexadecimal, of little-endian words. */
function hexOf(address: string): string {
  if (!isIPv6(address)) return address.split('.').toReversed().map((part) => hex(Number(part))).join('') // prettier-ignore
  const bytes = bytesOfIPv6(address)
  return [0, 4, 8, 12].flatMap((at) => bytes.slice(at, at + 4).toReversed().map(hex)).join('') // prettier-ignore
}

/** 16 bytes of an address without a zone, or with one, which is left out. */
function bytesOfIPv6(address: string): number[] {
  const [plain = ''] = address.split('%')
  const dotted = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(plain)
  const [a = 0, b = 0, c = 0, d = 0] = (dotted ?? []).slice(1).map(Number)
  const whole = dotted === null ? plain : plain.slice(0, dotted.index) + `${hex(a)}${hex(b)}:${hex(c)}${hex(d)}`
  const [before = '', after] = whole.split('::')
  const words = (text: string): number[] =>
    text
      .split(':')
      .filter(Boolean)
      .map((word) => Number.parseInt(word, 16))
  const [first, last] = [words(before), words(after ?? '')]
  const all = [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last]
  return all.flatMap((word) => [word >> 8, word & 255])
}

/** Of the lines of /proc/net/udp or udp6 those of one address and port; undefined when there is none. */
export function kernelStateIn(table: string, address: string, port: number): KernelState | undefined {
  const wanted = `${hexOf(address)}:${port.toString(16).padStart(4, '0').toUpperCase()}`
  let found: KernelState | undefined
  for (const line of table.split('\n')) {
    const fields = line.trim().split(/\s+/)
    if (fields[1] !== wanted) continue
    const waiting = Number.parseInt(fields[4]?.split(':')[1] ?? '0', 16)
    found = { waiting: (found?.waiting ?? 0) + waiting, drops: (found?.drops ?? 0) + Number(fields.at(-1)) }
  }
  return found
}

/** Undefined where the system does not tell: not Linux. */
export function kernelState(address: string, port: number): KernelState | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    const table = isIPv6(address) ? '/proc/net/udp6' : '/proc/net/udp'
    return kernelStateIn(readFileSync(table, 'latin1'), address, port)
  } catch {
    return undefined
  }
}
