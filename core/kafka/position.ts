// Where a reader stands in one partition, and what it knows of the log there.
import { type Usable } from './decode.js'

/** Where a reader stands in one partition. */
export interface Position {
  readonly topic: string
  readonly partition: number
  /** The topic that is fetched; '' while it is not known, or for good where brokers have no ids. */
  topicId: string
  /** To be fetched next. */
  offset: number
  /** Leader epoch of what was fetched before `offset`; -1: unknown. */
  epoch: number
  /** End of the topic as far as the broker has said … */
  end: number
  /** … when this was the epoch of its leader. */
  endEpoch: number
  /** The end that an earlier leader told, and its epoch: a later one may have something else there. */
  former: { readonly end: number; readonly epoch: number } | undefined
  /** Epoch of the leader; -1: unknown. */
  leaderEpoch: number
  /** Handed out so far: offset of the next record for the user. */
  delivered: number
  /** -1: to be found out. */
  leader: number
  paused: boolean
  /** Raised by seek and pause: what was fetched for an older one is thrown away. */
  generation: number
  /** A batch at this offset was damaged when fetched the first time. */
  suspect: number | undefined
  failures: number
  /** Answers in a row without a batch that can be used. */
  useless: number
  /** Left alone until then (Date.now). */
  notBeforeMs: number
  maxBytes: number
}

export function startAt(place: Pick<Position, 'topic' | 'partition' | 'offset' | 'topicId' | 'maxBytes'>): Position {
  return {
    ...place,
    ...{ delivered: place.offset, end: place.offset, endEpoch: -1, former: undefined, epoch: -1, leader: -1 },
    ...{ leaderEpoch: -1, paused: false, generation: 0, suspect: undefined, failures: 0, useless: 0 },
    notBeforeMs: 0
  }
}

/** On with a topic of the same name that is another one. */
export function startAgain(position: Position, topicId: string): void {
  Object.assign(position, { topicId, offset: 0, epoch: -1, end: 0, endEpoch: -1, former: undefined })
  Object.assign(position, { failures: 0, useless: 0, notBeforeMs: 0 })
}

/** The broker has told where the log ends. */
export function hearEnd(position: Position, end: number): void {
  const { leaderEpoch, endEpoch } = position
  if (leaderEpoch !== endEpoch && endEpoch >= 0 && position.end > position.offset)
    position.former ??= { end: position.end, epoch: endEpoch }
  position.end = end
  position.endEpoch = leaderEpoch
}

/**
 * Who had not come up to where the logs of two leaders part does not hear of it from the broker: epochs of batches tell.
 * Gives the former log, which went further than the place where another one goes on (`found.turn`).
 */
export function partedBefore(position: Position, { turn, next }: Usable): Position['former'] {
  const { former } = position
  if (former === undefined || (turn < 0 && next < former.end)) return undefined
  position.former = undefined
  return turn >= 0 && turn < former.end ? former : undefined
}

/** The log parts from what was read of it at `at`; gives where it ended before. */
export function cutBack(position: Position, at: number): number {
  const end = Math.max(position.end, position.former?.end ?? 0, position.offset)
  Object.assign(position, { epoch: -1, end: at, endEpoch: position.leaderEpoch, former: undefined })
  position.offset = Math.min(position.offset, at)
  return end
}
