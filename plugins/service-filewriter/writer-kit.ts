// For writers of plugins, as `nexstream/filewriter`: what a writer is and writes into, what time series have in common, attributes of times and cues to cut by time.
import { type Context } from '../../core/api/plugin.js'
import { isoNs } from './structure/report.js'
import { type Column, type Group } from './writer-part.js'

export * from './writer-part.js'

/** Attributes of every time dataset: readers make datetimes of them. */
export const timeAttributes = Object.freeze({ units: 'ns', start: '1970-01-01T00:00:00Z' } as const)

/** A time dataset in seconds since the start of the run, as Mantid reads it; `startNs` is 0 where no run is known. */
export class SecondsColumn {
  readonly #column: Column
  readonly #startNs: bigint

  constructor(group: Group, name: string, startNs = 0n, chunk?: number) {
    this.#startNs = startNs
    this.#column = group.column(name, {
      dtype: 'float64',
      index: true,
      attributes: { units: 's', start: isoNs(startNs) },
      ...(chunk === undefined ? {} : { chunk })
    })
  }

  append(timestampNs: bigint): void {
    this.#column.appendNumber(Number(timestampNs - this.#startNs) / 1e9)
  }
}

/** `cue_index` and `cue_timestamp_zero`: index and time of every so many rows. */
export class Cues {
  readonly #index: Column
  readonly #time: Column
  #since = 0

  readonly #interval: number

  /** @param interval - rows from one cue to the next */
  constructor(group: Group, interval: number, chunk?: number) {
    this.#interval = interval

    const options = { dtype: 'int64', index: true, ...(chunk === undefined ? {} : { chunk }) } as const
    this.#index = group.column('cue_index', options)
    this.#time = group.column('cue_timestamp_zero', { ...options, attributes: timeAttributes })
  }

  /** One row was appended: a cue points to it when it is its turn. */
  row(index: number, timestampNs: bigint): void {
    if (++this.#since < this.#interval) return
    this.#since = 0
    this.append(index, timestampNs)
  }

  append(index: number, timestampNs: bigint): void {
    this.#index.appendNumber(index)
    this.#time.appendBigInt(timestampNs)
  }
}

/** Counts values that the type of a dataset does not hold as they are (`cast`), with the first of them. */
export function countConverted(
  context: Context,
  { changed, first }: { readonly changed: number; readonly first: number | bigint | undefined },
  dtype: string,
  timestampNs: bigint
): void {
  if (changed > 0) context.count('converted', changed, undefined, () => `${first} at ${isoNs(timestampNs)} as ${dtype}`)
}
