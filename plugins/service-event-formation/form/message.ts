// What event formation sends: one message for Kafka, and what is in it.
/** One message for Kafka. */
export interface FormedMessage {
  /** `events` to the topic of the detector, `raw` to that of raw copies. */
  readonly kind: 'events' | 'raw'
  readonly source: string
  /** Used again when `send` returns. */
  readonly value: Uint8Array
  /** Events in it; of histograms their entries. */
  readonly events: number
  /** Its time in Kafka; default that of sending. */
  readonly timestampMs?: number
}

export type SendFormed = (message: FormedMessage) => void
