// What compression of datasets can be asked for: names of the filters and their levels.
import { type ColumnOptions } from '../writer-part.js'

export type Compression = NonNullable<ColumnOptions['compression']>

/** Highest level; 0: it has none. */
export const levels = { gzip: 9, zstd: 22, lz4: 0, bitshuffle: 0 } as const

/** Whether a filter has such a level; undefined is its usual one. */
export const isLevel = (filter: Compression['filter'], level: unknown): level is number | undefined =>
  level === undefined || (typeof level === 'number' && Number.isInteger(level) && level > 0 && level <= levels[filter])

export const isFilter = (name: unknown): name is Compression['filter'] =>
  typeof name === 'string' && Object.hasOwn(levels, name)
