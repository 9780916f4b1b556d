// All that an HDF5 file holds, read by the library: for templates that come as a file instead of a structure.
import { typedArrays } from '../../../schemas/numbers.js'
import { CodedError } from '../../../core/api/plugin.js'
import { type VectorType } from '../../../schemas/index.js'
import { isHdf5 } from './summary.js'
import { elements, numberTypes } from './types.js'
import { type Hdf5Module, loadModule, type TypeMetadata } from './wasm-module.js'
import { type AttributeValue, type DataType } from '../writer-part.js'

export interface TypedContent {
  readonly dtype: DataType
  readonly shape: readonly number[]
  /** Little-endian bytes, or the texts of variable-length strings. */
  readonly value: Buffer | readonly string[]
}

export interface DatasetContent extends TypedContent {
  /** The first dimension may grow. */
  readonly unlimited: boolean
}

/** Calls for everything in the file, a group before what is in it. Attributes come right after their group or dataset. */
export interface ContentVisitor {
  /** Whether a dataset is to be read; default all. */
  wants?(path: string): boolean
  group(path: string): void
  dataset(path: string, content: DatasetContent): void
  attribute(path: string, name: string, value: { value: AttributeValue; dtype: DataType }): void
  link(path: string, kind: 'hard' | 'soft' | 'external', target: string): void
  /** What cannot be had: types that a structure does not know. */
  refused(path: string, why: string): void
}

const classes = { 0: 'integer', 1: 'float', 3: 'text', 8: 'enum' } as const
const UNLIMITED = 2 ** 64
/** Bytes of one dataset or attribute. */
const MOST_BYTES = 1 << 30
const MOST_DEPTH = 64

/** Throws CodedError FILE_READ. */
export async function visitContent(file: string, visitor: ContentVisitor): Promise<void> {
  if (!isHdf5(file)) throw new CodedError('FILE_READ', `${file} is no HDF5 file`)
  // An instance of its own: what a damaged file does to it matters to nobody else
  const module = await loadModule()
  let id: bigint | undefined
  try {
    id = module.open(file, module.H5F_ACC_RDONLY, false, module.H5F_LIBVER_EARLIEST, module.H5F_LIBVER_LATEST)
    new Walk(module, id, visitor).group('/', 0)
  } catch (cause) {
    if (cause instanceof CodedError) throw cause
    const [first = ''] = String(cause instanceof Error ? cause.message : cause).split('\n')
    throw new CodedError('FILE_READ', `${file} cannot be read as HDF5: ${first}`, { cause })
  } finally {
    if (id !== undefined) module.close_file(id)
  }
}

class Walk {
  /** Paths of what is there, by its address: a second way to it is a hard link. */
  readonly #seen = new Map<number, string>()

  readonly #module: Hdf5Module
  readonly #file: bigint
  readonly #visitor: ContentVisitor

  constructor(module: Hdf5Module, file: bigint, visitor: ContentVisitor) {
    this.#module = module
    this.#file = file
    this.#visitor = visitor
  }

  group(path: string, depth: number): void {
    const module = this.#module,
      file = this.#file,
      visitor = this.#visitor
    this.#seen.set(this.#address(path), path)
    visitor.group(path)
    this.#attributes(path)
    if (depth > MOST_DEPTH) return visitor.refused(path, `groups are nested deeper than ${MOST_DEPTH} levels`)
    for (const name of module.get_names(file, path, false))
      this.#child(path === '/' ? `/${name}` : `${path}/${name}`, depth)
  }

  #child(path: string, depth: number): void {
    const module = this.#module,
      file = this.#file,
      visitor = this.#visitor
    const soft = module.get_symbolic_link(file, path)
    if (soft !== null) return visitor.link(path, 'soft', soft)
    const { filename, obj_path: target } = module.get_external_link(file, path)
    if (filename !== undefined) return visitor.link(path, 'external', `${filename}:${target}`)
    const type = module.get_type(file, path)
    const known = this.#seen.get(this.#address(path))
    if (known !== undefined) return visitor.link(path, 'hard', known)
    if (type === module.H5G_GROUP) return this.group(path, depth + 1)
    if (type !== module.H5G_DATASET) return visitor.refused(path, 'is neither a group nor a dataset')
    this.#seen.set(this.#address(path), path)
    if (visitor.wants?.(path) === false) return
    const metadata = module.get_dataset_metadata(file, path)
    const content = this.#content(
      metadata,
      (to) => module.get_dataset_data(file, path, null, null, null, to),
      (at) => module.reclaim_vlen_memory(file, path, '', at)
    )
    if (typeof content === 'string') return visitor.refused(path, content)
    const grows = Number(metadata.maxshape?.[0] ?? 0) >= UNLIMITED
    visitor.dataset(path, { ...content, unlimited: grows })
    this.#attributes(path)
  }

  #attributes(path: string): void {
    const module = this.#module,
      file = this.#file,
      visitor = this.#visitor
    for (const name of module.get_attribute_names(file, path)) {
      const metadata = module.get_attribute_metadata(file, path, name)
      const content = this.#content(
        metadata,
        (to) => module.get_attribute_data(file, path, name, to),
        (at) => module.reclaim_vlen_memory(file, path, name, at)
      )
      if (typeof content === 'string') visitor.refused(`${path}@${name}`, content)
      else if (content.shape.length > 1 || elements(content.shape) === 0)
        visitor.refused(`${path}@${name}`, 'is neither one value nor a list')
      else visitor.attribute(path, name, { value: attributeValue(content), dtype: content.dtype })
    }
  }

  /** Content, or why there is none. */
  #content(
    metadata: TypeMetadata,
    read: (to: bigint) => number,
    reclaim: (at: bigint) => number
  ): TypedContent | string {
    const module = this.#module
    const { size, vlen, shape: dims } = metadata
    const dtype = typeOf(metadata)
    if (dtype === undefined) return 'has a data type that a structure cannot have'
    if (dims === null) return 'has no value at all'
    const shape = dims.map(Number)
    const bytes = elements(shape) * size
    if (bytes > MOST_BYTES) return `has ${bytes} bytes; the limit is ${MOST_BYTES}`
    const pointer = module._malloc(Math.max(8, bytes))
    if (pointer === 0) return `has ${bytes} bytes, for which there is no memory`
    try {
      if (bytes > 0) read(BigInt(pointer))
      const raw = Buffer.from(module.HEAPU8.slice(pointer, pointer + bytes))
      // The library has turned the bytes of other machines round already
      if (dtype !== 'string') return { dtype, shape, value: raw }
      const texts = this.#texts(raw)
      if (vlen && bytes > 0) reclaim(BigInt(pointer))
      return { dtype, shape, value: texts }
    } finally {
      module._free(pointer)
    }
  }

  #texts(pointers: Buffer): string[] {
    const { HEAPU8: heap } = this.#module
    return Array.from({ length: pointers.length / 4 }, (_, i) => {
      const at = pointers.readUInt32LE(4 * i)
      return at === 0 ? '' : Buffer.from(heap.subarray(at, heap.indexOf(0, at))).toString()
    })
  }

  #address(path: string): number {
    return Number(Buffer.from(this.#module.create_object_reference(this.#file, path)).readBigUInt64LE(0))
  }
}

function typeOf({ type, size, signed, vlen }: TypeMetadata): DataType | undefined {
  const kind = classes[type as keyof typeof classes] as (typeof classes)[keyof typeof classes] | undefined
  if (kind === 'text') return vlen ? 'string' : { string: size }
  if (kind === undefined || vlen) return undefined
  // h5py's truth values
  if (kind === 'enum') return size === 1 ? 'int8' : undefined
  const names = Object.keys(numberTypes) as VectorType[]
  return names.find((name) => {
    const info = numberTypes[name]
    return info.float === (kind === 'float') && info.size === size && (info.float || info.signed === signed)
  })
}

function attributeValue({ dtype, shape, value }: TypedContent): AttributeValue {
  const list = Buffer.isBuffer(value) ? valuesOf(value, dtype) : value
  return (shape.length === 0 ? (list[0] ?? '') : list) as AttributeValue
}

/** Numbers, or texts of fixed size, from their bytes. */
export function valuesOf(raw: Buffer, dtype: DataType): readonly (number | bigint | string)[] {
  const copy = raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length) as ArrayBuffer
  if (typeof dtype !== 'string')
    return Array.from({ length: raw.length / dtype.string }, (_, i) => {
      const [text = ''] = raw.toString('utf8', i * dtype.string, (i + 1) * dtype.string).split('\0')
      return text
    })
  return Array.from<number | bigint>(new typedArrays[dtype as VectorType](copy))
}
