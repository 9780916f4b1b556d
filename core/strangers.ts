// Messages on command topics that are in none of the topic's dialects: counted by kind, each kind told once a minute.
import { type Log } from './log.js'

const TELL_MS = 60_000
/** Anybody may write there what they like: further kinds are counted as one. */
const MOST_KINDS = 50
/** What nexstream says itself, here or elsewhere, may share a topic with commands. */
const OWN_TYPE = /^nexstream_/
/** Answers and heartbeats of other daemons, which often share a topic with commands: no reason to look. */
const SAID_BY_DAEMONS = new Set(['answ', 'wrdn', 'x5f2'])

interface Kind {
  count: number
  toldMs: number
  /** How many there were when it was told last. */
  told: number
}

export interface StrangerMessage {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly value: Buffer
}

export class Strangers {
  readonly #kinds = new Map<string, Kind>()

  constructor(readonly log: Log) {}

  /** Kind → how many since the start; undefined while there is none. Kinds are `empty`, `json`, `bytes` and ids of FlatBuffers. */
  counts(): Readonly<Record<string, number>> | undefined {
    if (this.#kinds.size === 0) return undefined
    return Object.fromEntries([...this.#kinds].map(([kind, { count }]) => [kind, count]))
  }

  /** A message that none of `dialects` takes for a command. */
  note(
    { topic, partition, offset, value }: StrangerMessage,
    dialects: readonly string[],
    nowMs = performance.now()
  ): void {
    const kind = this.#bounded(kindOf(value))
    if (kind === undefined) return
    const known = this.#kinds.get(kind) ?? { count: 0, toldMs: -Infinity, told: 0 }
    this.#kinds.set(kind, known)
    known.count++
    if (nowMs - known.toldMs < TELL_MS) return
    const more = known.count - known.told - 1
    const since = more > 0 ? `, as ${more} more of this kind since the last word` : ''
    known.toldMs = nowMs
    known.told = known.count
    const what = `offset ${offset} of ${topic}/${partition} (${words(kind)}) is no command in ${dialects.join(', ')}`
    this.log(SAID_BY_DAEMONS.has(kind) ? 'debug' : 'warn', `${what}; passed over${since}`, {
      topic,
      partition,
      offset,
      kind
    })
  }

  #bounded(kind: string | undefined): string | undefined {
    return kind === undefined || this.#kinds.has(kind) || this.#kinds.size < MOST_KINDS ? kind : 'other'
  }
}

const words = (kind: string): string =>
  ({ empty: 'empty', json: 'JSON', bytes: 'bytes of no known kind', other: 'of yet another kind' })[kind] ??
  `FlatBuffer ${kind}`

/** Undefined: one of nexstream's own. */
function kindOf(value: Buffer): string | undefined {
  if (value.length === 0) return 'empty'
  const id = value.toString('latin1', 4, 8)
  if (value.length >= 8 && /^[a-zA-Z0-9]{4}$/.test(id) && value.readUInt32LE(0) < value.length) return id
  try {
    const json = JSON.parse(value.toString()) as { readonly type?: unknown } | null
    return typeof json?.type === 'string' && OWN_TYPE.test(json.type) ? undefined : 'json'
  } catch {
    return 'bytes'
  }
}
