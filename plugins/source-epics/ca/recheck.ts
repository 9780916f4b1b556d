// Values read behind their subscription. An EPICS base server sends the first value and enables the subscription after
// that (event_add_action of rsrv): what changes in between is never sent, and unknown until the next change.
import { crc32 } from 'node:zlib'
import { isVector } from '../../../schemas/index.js'
import { type CaChannel } from './channel.js'
import { type CaValue } from './dbr.js'

/** Updates older than what was read are no longer on their way after this. */
const SETTLE_MS = 5000
/** A server that is busy with thousands of connects answers late. */
const ANSWER_MS = 60_000

interface Seen {
  readonly alarm: CaValue['alarm']
  readonly timestampNs: bigint
  /** The value, or a checksum of it. */
  readonly key: number | string
}

interface Recheck {
  sinceMs: number
  /** The last update. */
  last: Seen | undefined
  /** What was read and not seen as an update yet. */
  held: { readonly value: CaValue; readonly seen: Seen } | undefined
}

export class Rechecks {
  readonly #open = new Map<CaChannel, Recheck>()
  readonly #deliver: (channel: CaChannel, value: CaValue) => void

  constructor(deliver: (channel: CaChannel, value: CaValue) => void) {
    this.#deliver = deliver
  }

  /** The channel is being subscribed, and read behind that. */
  begin(channel: CaChannel, nowMs: number): void {
    this.end(channel)
    this.#open.set(channel, { sinceMs: nowMs, last: undefined, held: undefined })
    channel.isRechecked = true
  }

  end(channel: CaChannel): void {
    if (this.#open.delete(channel)) channel.isRechecked = false
  }

  /** The answer; undefined: reading failed. It is at least as new as all updates that came before it. */
  read(channel: CaChannel, value: CaValue | undefined, nowMs: number): void {
    const recheck = this.#open.get(channel)
    if (recheck === undefined) return
    if (value === undefined) return this.end(channel)
    const seen = seenOf(value)
    if (isSame(seen, recheck.last)) return this.end(channel)
    recheck.sinceMs = nowMs
    recheck.held = { value, seen }
  }

  /** An update that is about to be delivered; a value that the server passed over is delivered before it. */
  update(channel: CaChannel, value: CaValue): void {
    const recheck = this.#open.get(channel)
    if (recheck === undefined) return
    const { held, last } = recheck
    const seen = seenOf(value)
    recheck.last = seen
    if (held === undefined) return
    const laterNs = seen.timestampNs - held.seen.timestampNs
    if (isSame(seen, held.seen)) this.end(channel)
    // Older ones are still on their way; a first one is at most as new as what was read.
    else if (laterNs > 0n || (laterNs === 0n && last !== undefined)) {
      this.end(channel)
      if (laterNs > 0n && last !== undefined) this.#deliver(channel, held.value)
    }
  }

  /** `isOver`: whether so many ms of reading have passed since then. */
  tick(isOver: (sinceMs: number, ms: number) => boolean): void {
    for (const [channel, { sinceMs, held, last }] of this.#open) {
      if (!isOver(sinceMs, held === undefined ? ANSWER_MS : SETTLE_MS)) continue
      this.end(channel)
      if (held !== undefined && last !== undefined) this.#deliver(channel, held.value)
    }
  }
}

function seenOf({ value, alarm, timestampNs }: CaValue): Seen {
  if (isVector(value)) return { alarm, timestampNs, key: crc32(value.bytes) }
  return { alarm, timestampNs, key: typeof value === 'object' ? value.join('\0') : value }
}

/** A record that is processed again and stays as it was is no news. */
const isSame = (one: Seen, other: Seen | undefined): boolean =>
  Object.is(one.key, other?.key) && one.alarm === other?.alarm
