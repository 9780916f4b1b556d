// What the kernel tells of a UDP socket: bytes that wait, and packets it had no room for.
import { readFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'

export interface KernelState {
  readonly waiting: number
  readonly drops: number
}

/** IPv4 as /proc/net/udp writes it: hexadecimal, of a little-endian word. */
const hexOf = (address: string): string =>
  address.split('.').toReversed().map((part) => Number(part).toString(16).padStart(2, '0')).join('').toUpperCase() // prettier-ignore

/** Of the lines of /proc/net/udp those of one address and port; undefined when there is none. */
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

/** Undefined where the system does not tell: not Linux, IPv6. */
export function kernelState(address: string, port: number): KernelState | undefined {
  if (process.platform !== 'linux' || isIPv6(address)) return undefined
  try {
    return kernelStateIn(readFileSync('/proc/net/udp', 'latin1'), address, port)
  } catch {
    return undefined
  }
}
