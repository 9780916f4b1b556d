// Times of commands: ms since 1970 or ISO 8601, in ns inside.
import { CodedError } from '../../core/api/plugin.js'

export const nsOfMs = (ms: number): bigint => BigInt(Math.trunc(ms)) * 1_000_000n

/** undefined and 0 mean: not given. Throws COMMAND_INVALID. */
export function timeNs(value: unknown, path: string): bigint | undefined {
  if (value === undefined || value === null || value === 0) return undefined
  const ms = typeof value === 'number' ? value : typeof value === 'string' ? Date.parse(value) : NaN
  if (!Number.isFinite(ms) || ms < 0 || ms > 9.2e12)
    throw new CodedError('COMMAND_INVALID', `${JSON.stringify(value)} is not a time between 1970 and 2261`, { path })
  return nsOfMs(ms)
}

export const msOfNs = (ns: bigint | null): number | null => (ns === null ? null : Number(ns / 1_000_000n))
export const isoOfNs = (ns: bigint | null): string | null =>
  ns === null ? null : new Date(Number(ns / 1_000_000n)).toISOString()
