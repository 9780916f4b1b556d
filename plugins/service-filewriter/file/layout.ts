// How a column lies in the file (rows, chunks, filter), and attributes as bytes: checked before the library is asked.
import { CodedError } from '../../../core/api/plugin.js'
import { checkType, elements, elementSize, encode, guessType, type Encoded } from './types.js'
import { type DatasetLayout } from './wasm.js'
import {
  type Attributes,
  type AttributeValue,
  type ColumnOptions,
  type DataType,
  type TypedAttribute
} from '../writer-part.js'

const FILTERS = { gzip: { id: 1, level: 1, most: 9 }, zstd: { id: 32015, level: 3, most: 22 } } as const
const DEFAULT_CHUNK = 1024
const BULK_CHUNK_BYTES = 1 << 20

/** A message of an object header is at most 64 KiB; what else the message holds is far below the difference. */
const ATTRIBUTE_BYTES = 64_000

/** A link is a message, too. */
export const TARGET_BYTES = 60_000

const MOST_CHUNK_BYTES = 0xffffffff

/** Reads the layout of a new column from its options. */
export function columnLayout(path: string, options: ColumnOptions): DatasetLayout {
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
  if (!compression) return { dtype, row, chunk, filter: undefined }
  const known = FILTERS[compression.filter]
  const level = compression.level ?? known?.level
  if (!known || !Number.isInteger(level) || level < 1 || level > known.most)
    throw new CodedError('STRUCTURE_INVALID', `${path}: no compression ${JSON.stringify(compression)}`, { path })
  return { dtype, row, chunk, filter: { id: known.id, values: [level] } }
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

export function encodeAttributes(path: string, attributes: Attributes): [string, Encoded][] {
  return Object.entries(attributes).map(([name, value]) => [
    name,
    isTyped(value)
      ? encodeAttribute(path, name, value.value, value.dtype, value.shape)
      : encodeAttribute(path, name, value)
  ])
}
