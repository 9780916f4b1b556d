// What the main thread and the threads of the muon services say to each other.

export interface MuonProgress {
  readonly messages: number
  /** That Kafka has. */
  readonly sent: number
  /** Of frames only: how many, those that are not complete, those that wait. */
  readonly frames: number
  readonly incomplete: number
  readonly waiting: number
  readonly eventsIn: number
  readonly events: number
  /** Messages, and events, that did not go on, by reason. */
  readonly losses: Readonly<Record<string, number>>
  /** Topics that do not exist. */
  readonly missing: readonly string[]
}

export interface OpenMuons<O> {
  readonly type: 'open'
  readonly options: O
}
