// What a description says of a detector, whatever file it came from.
import { type Grid } from '../thread/protocol.js'

/** A grid, and the histograms that it belongs to. */
export interface DetectorGrid {
  readonly grid: Grid
  /** Of the events; undefined: those with these pixels. */
  readonly topic: string | undefined
  /** Of the events; empty: any. */
  readonly sources: readonly string[]
  /** Id or source of the one histogram that it belongs to, whatever its topics are. */
  readonly histogram: string | undefined
}
/** Where its pixels are, and whose events they have. */
export interface Description extends Pick<DetectorGrid, 'topic' | 'sources'> {
  readonly grid: Omit<Grid, 'id'>
}

/** Along one axis, and of the whole grid: 4096² twice over. */
export const MOST_SIDE = 65_536
export const MOST_PIXELS = 33_554_432
