// Times in ns since the Unix epoch, and what Kafka gets of them.
import { type Update } from './updates.js'

const NS_PER_MS = 1_000_000
/** 2 ** 62 ns, in 2116: doubles lie 512 ns apart below it. */
const LAST_SURE_MS = 4_611_686_018_427

/** Now in ns since the Unix epoch (ms resolution). */
export const nowNs = (): bigint => BigInt(Date.now()) * 1_000_000n

/** A quotient of doubles is nearer than this to the exact one. */
const DOUBT_MS = 0.001

/**
 * Whole ms of a time in ns, rounded down, without a division of bigints, which costs more than all else on the way of a number:
 * the quotient of doubles is wrong by one at most, next to a whole ms, where the low 32 bits of both sides tell.
 */
export function msOf(ns: bigint): number {
  const quotient = Number(ns) / NS_PER_MS
  const ms = Math.floor(quotient)
  if (quotient - ms > DOUBT_MS && quotient - ms < 1 - DOUBT_MS && Math.abs(ms) < LAST_SURE_MS) return ms
  const rest = (Number(BigInt.asIntN(32, ns)) - Math.imul(ms, NS_PER_MS)) | 0
  return rest < 0 ? ms - 1 : rest >= NS_PER_MS ? ms + 1 : ms
}

/**
 * Kafka's time of an update, ms: that of the value, so that a reader finds history by time; repeats and connections are news of
 * now.
 */
export function kafkaTimeMs({ kind, repeat, timestampNs }: Update): number {
  return repeat || kind === 'connection' ? Date.now() : msOf(timestampNs)
}

/** A message for Kafka with the time of its update; a repeat gets the time of sending. */
export const messageOf = (update: Update, value: Uint8Array): { value: Uint8Array; timestampMs?: number } =>
  update.repeat ? { value } : { value, timestampMs: msOf(update.timestampNs) }
