// Dialects: ways to say commands, answers and events on the wire.
import { type Command, type Reply } from './command.js'

/** One message for Kafka. */
export interface OutMessage {
  readonly value: Uint8Array
  /** Kafka CreateTime in ms; default now. */
  readonly timestampMs?: number
  /** For whoever has copied `value` and lets go of it: its memory is used again. It need not be called. */
  readonly giveBack?: () => void
}

/** Something that happened to a job; dialects turn it into their own words. */
export interface ServiceEvent {
  readonly event: string
  readonly job_id?: string
  readonly [key: string]: unknown
}

/** A way to say commands on the wire. */
export interface Dialect {
  readonly id: string
  /** Undefined: not in this dialect. Throws CodedError for a broken command of this dialect. */
  decode(message: Buffer): Command | undefined
  /** The answer in the dialect's own words; [] when it has none. `command` is what `decode` gave. */
  reply(command: Command, reply: Reply, serviceId: string): readonly OutMessage[]
  event(event: ServiceEvent, serviceId: string): readonly OutMessage[]
  /** The commands in a start-up file (parsed JSON) of the tools that speak this dialect; undefined: it is none. */
  file?(content: unknown): readonly Command[] | undefined
}
