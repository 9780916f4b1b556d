// How a column lies in the file (rows, chunks, filter), and attributes as bytes: checked before the library is asked.
import { CodedError } from '../../../core/api/plugin.js'
import { bitshuffleValues, type ChunkFilter, filterIds } from './codec.js'
import { isLevel, levels } from './levels.js'
import { checkType, elements, elementSize, encode, guessType, type Encoded } from './types.js'
import { type DatasetLayout } from './wasm.js'
import {
  type Attributes,
  type AttributeValue,
  type ColumnOptions,
  type DataType,
  type TypedAttribute
} from '../writer-part.js'

const DEFAULT_CHUNK = 1024
const BULK_CHUNK_BYTES = 1 << 20

/** A message of an object header is at most 64 KiB; what else the message holds is far below the difference. */
const ATTRIBUTE_BYTES = 64_000

/** A link is a message, too. */
export const TARGET_BYTES = 60_000

const MOST_CHUNK_BYTES = 0xffffffff

/** Of single values without a filter: tens of thousands of columns have the same few. */
const plainLayouts = new Map<string, DatasetLayout>()
const MOST_LAYOUTS = 1000

/** Reads the layout of a new column from its options. */
export function columnLayout(path: string, options: ColumnOptions): DatasetLayout {
  const { dtype, row = [], chunk, bulk = false, compression } = options
  if (row.length > 0 || compression) return newLayout(path, options)
  const key = `${typeof dtype === 'string' ? dtype : dtype.string} ${chunk} ${bulk}`
  const known = plainLayouts.get(key)
  if (known) return known
  const made = newLayout(path, options)
  if (plainLayouts.size < MOST_LAYOUTS) plainLayouts.set(key, made)
  return made
}

function newLayout(path: string, options: ColumnOptions): DatasetLayout {
  const { dtype, row = [], bulk, compression } = options
  if ((dtype as DataType) === 'string')
    throw new CodedError(
      'STRUCTURE_INVALID',
      `${path}: variable-length strings cannot be appended to; give a fixed length`,
      { path }
    )
  checkType(path, dtype, row)
  const rowBytes = elementSize(dtype) * elements(row)
  const chunk =
    options.chunk ??
    (bulk
      ? Math.max(1, Math.round(BULK_CHUNK_BYTES / rowBytes))
      : Math.min(DEFAULT_CHUNK, Math.max(1, Math.floor(BULK_CHUNK_BYTES / rowBytes))))
  if (rowBytes === 0 || !Number.isSafeInteger(chunk) || chunk < 1 || chunk * rowBytes > MOST_CHUNK_BYTES)
    throw new CodedError('STRUCTURE_INVALID', `${path}: ${chunk} rows of ${rowBytes} bytes cannot be a chunk`, { path })
  return { dtype, row, chunk, filters: compression ? filtersOf(path, compression, elementSize(dtype)) : NO_FILTERS }
}

const NO_FILTERS: readonly ChunkFilter[] = []

function filtersOf(
  path: string,
  compression: NonNullable<ColumnOptions['compression']>,
  width: number
): readonly ChunkFilter[] {
  const { filter, shuffle = false } = compression
  const usual = { gzip: 1, zstd: 3, lz4: undefined, bitshuffle: undefined }[filter]
  const level = compression.level ?? usual
  if (!Object.hasOwn(levels, filter) || !isLevel(filter, level) || typeof shuffle !== 'boolean')
    throw new CodedError('STRUCTURE_INVALID', `${path}: no compression ${JSON.stringify(compression)}`, { path })
  if (filter === 'bitshuffle') return [{ id: filterIds.bitshuffle, values: bitshuffleValues(width) }]
  const packing = { id: filterIds[filter], values: level === undefined ? [] : [level] }
  return shuffle && width > 1 ? [{ id: filterIds.shuffle, values: [width] }, packing] : [packing]
}

export function encodeAttribute(
  path: string,
  name: string,
  value: AttributeValue,
  dtype?: DataType,
  shape?: readonly number[]
): Encoded {
  if (typeof name !== 'string' || name === '' || name.includes('\0') || Buffer.byteLength(name) > 1024)
    throw new CodedError('STRUCTURE_INVALID', `${path}: ${JSON.stringify(name)} cannot be the name of an attribute`, {
      path
    })
  const encoded = encode(`${path}@${name}`, value, dtype ?? guessType(value), shape)
  const size = elements(encoded.shape) * elementSize(encoded.dtype)
  if (size > ATTRIBUTE_BYTES)
    throw new CodedError(
      'STRUCTURE_INVALID',
      `${path}@${name}: ${size} bytes are too many for an attribute (${ATTRIBUTE_BYTES})`,
      { path }
    )
  return encoded
}

const isTyped = (value: Attributes[string]): value is TypedAttribute =>
  typeof value === 'object' && !Array.isArray(value)

/** Of frozen attributes, which stay as they are: those of times are the same in ten thousands of datasets. */
const encodedBefore = new WeakMap<Attributes, readonly (readonly [string, Encoded])[]>()

export function encodeAttributes(path: string, attributes: Attributes): readonly (readonly [string, Encoded])[] {
  const known = encodedBefore.get(attributes)
  if (known) return known
  const encoded = Object.entries(attributes).map(
    ([name, value]) =>
      [
        name,
        isTyped(value)
          ? encodeAttribute(path, name, value.value, value.dtype, value.shape)
          : encodeAttribute(path, name, value)
      ] as const
  )
  if (Object.isFrozen(attributes)) encodedBefore.set(attributes, encoded)
  return encoded
}
