// What a recording keeps of a message: all that Kafka has of it.
import { type MessageHeaders } from '../../core/api/plugin.js'

export interface RecordedMessage {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Kafka time, ms since the Unix epoch. */
  readonly timestampMs: number
  /** The time is that at which the broker wrote (LogAppendTime), not the producer's. */
  readonly isAppendTime: boolean
  readonly key: Buffer | null
  readonly headers: MessageHeaders
  readonly value: Buffer | null
}
