// Address lists: `host`, `host:port`, `[v6]:port`, separated by blanks or commas; names are resolved now and then, not per datagram.
import { lookup } from 'node:dns/promises'
import { isIPv4 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { type Warner } from './warner.js'
import { errorText } from '../../../core/api/plugin.js'

export interface HostPort {
  readonly host: string
  readonly port: number
}

/** Where to send search datagrams. */
export interface SearchTarget extends HostPort {
  /** Not a broadcast or multicast address. */
  readonly unicast: boolean
  readonly broadcast: boolean
}

/** One entry of a list; undefined when it is none. */
export function parseHostPort(text: string, defaultPort: number): HostPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^\s:[\],]+))(?::(\d{1,5}))?$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = match?.[3] === undefined ? defaultPort : Number(match[3])
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port }
}

/** Entries of a list (text as in EPICS_CA_ADDR_LIST, or an array); what cannot be read is in `bad`, the rest still counts. */
export function parseList(list: string | readonly string[], defaultPort: number): { good: HostPort[]; bad: string[] } {
  const words = (typeof list === 'string' ? [list] : list).flatMap((text) => text.split(/[\s,]+/)).filter(Boolean)
  const good: HostPort[] = []
  const bad: string[] = []
  for (const word of words) {
    const entry = parseHostPort(word, defaultPort)
    if (entry === undefined) bad.push(word)
    else good.push(entry)
  }
  return { good, bad }
}

/** Broadcast address of every IPv4 interface that is up; loopback's only when there is no other. */
export function broadcastAddresses(interfaces = networkInterfaces()): string[] {
  const found: string[] = []
  for (const list of Object.values(interfaces)) {
    for (const item of list ?? []) {
      if (item.family === 'IPv4' && !item.internal) found.push(broadcastOf(item.address, item.netmask))
    }
  }
  return found.length > 0 ? found : ['127.255.255.255']
}

function broadcastOf(address: string, netmask: string): string {
  const mask = netmask.split('.').map(Number)
  return address
    .split('.')
    .map((part, i) => Number(part) | (~(mask[i] ?? 255) & 255))
    .join('.')
}

const isMulticast = (host: string): boolean => /^(22[4-9]|23\d)\./.test(host)
const REFRESH_MS = 60_000

/** The UDP search targets of a client, kept up to date as interfaces and names change. */
export class AddressList {
  readonly #entries: readonly HostPort[]
  readonly #auto: boolean
  readonly #port: number
  readonly #warner: Warner
  #resolved = new Map<string, string>()
  #targets: readonly SearchTarget[] = []
  #freshUntil = 0
  #busy = false

  constructor(entries: readonly HostPort[], auto: boolean, port: number, warner: Warner) {
    this.#entries = entries
    this.#auto = auto
    this.#port = port
    this.#warner = warner
    this.#build()
    this.#freshUntil = this.#needsLookup() ? 0 : Date.now() + REFRESH_MS
  }

  /** What is known now; starts a refresh in the background when that is due. */
  targets(): readonly SearchTarget[] {
    if (Date.now() >= this.#freshUntil && !this.#busy) void this.refresh()
    return this.#targets
  }

  async refresh(): Promise<void> {
    this.#busy = true
    for (const { host } of this.#entries) {
      if (isIPv4(host)) continue
      try {
        this.#resolved.set(host, (await lookup(host, { family: 4 })).address)
      } catch (error) {
        this.#warner.warn(`dns ${host}`, `cannot resolve ${host}: ${errorText(error)}`)
      }
    }
    this.#build()
    this.#freshUntil = Date.now() + REFRESH_MS
    this.#busy = false
  }

  #needsLookup(): boolean {
    return this.#entries.some(({ host }) => !isIPv4(host))
  }

  #build(): void {
    const broadcasts = broadcastAddresses()
    const all = new Set([...broadcasts, '127.255.255.255', '255.255.255.255'])
    const found = new Map<string, SearchTarget>()
    const add = (host: string, port: number): void => {
      const broadcast = all.has(host)
      found.set(`${host}:${port}`, { host, port, broadcast, unicast: !broadcast && !isMulticast(host) })
    }
    for (const { host, port } of this.#entries) {
      const address = isIPv4(host) ? host : this.#resolved.get(host)
      if (address !== undefined) add(address, port)
    }
    if (this.#auto) for (const host of broadcasts) add(host, this.#port)
    this.#targets = [...found.values()]
  }
}
