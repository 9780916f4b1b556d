// What is counted of each route, and over all of them.

/** Counts of one route; only those that are not 0 are shown. */
export interface RouteCounts {
  messages: number
  acknowledged: number
  /** Replaced by a newer value while Kafka was away or too slow. */
  superseded: number
  /** Lossless messages without room, or given up by the producer. */
  lost: number
  repeated: number
  convert_errors: number
}

export const noRouteCounts = (): RouteCounts => ({
  messages: 0,
  acknowledged: 0,
  superseded: 0,
  lost: 0,
  repeated: 0,
  convert_errors: 0
})
