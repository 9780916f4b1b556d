// Read-only pvAccess client.
import { type HostPort } from '../addrlist.js'

export interface PvaOptions {
  readonly addresses: readonly HostPort[]
  /** Search on the broadcast addresses of the interfaces, too. */
  readonly autoAddresses: boolean
  readonly nameServers: readonly HostPort[]
  /** UDP port of broadcast searches. */
  readonly port: number
  /** Silence of a server after which it is given up is 4/3 of this. */
  readonly connectionTimeoutMs: number
  readonly maxSearchPeriodMs: number
  /** The largest message taken. */
  readonly maxBytes: number
}
