// EPICS times to ns since the Unix epoch.
import { EPICS_EPOCH_S } from '../../../schemas/index.js'

// Most updates of a burst share their second; BigInt products are the dear part.
let lastSeconds = 0
let lastNs = 0n

/**
 * Unix seconds and ns to ns. Times at or before the EPICS epoch give 0n, which means "the source gave no time":
 * a record that was never processed has EPICS time 0 and must not be taken for 1990.
 */
export function unixNs(seconds: number, nanoseconds: number): bigint {
  if (seconds < EPICS_EPOCH_S || (seconds === EPICS_EPOCH_S && nanoseconds === 0)) return 0n
  if (seconds !== lastSeconds) {
    lastSeconds = seconds
    lastNs = BigInt(seconds) * 1_000_000_000n
  }
  return lastNs + BigInt(nanoseconds)
}
