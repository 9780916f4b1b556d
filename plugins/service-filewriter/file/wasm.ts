// The HDF5 library itself (h5wasm): one instance per thread, replaced after any error, because an error leaves handles open.
import { CodedError, errorText } from '../../../core/api/plugin.js'
import { codec, type ChunkFilter, filterIds } from './codec.js'
import { type Hdf5Module, loadModule, type TypeMetadata } from './wasm-module.js'
import { elements, numberTypes, type Encoded } from './types.js'
import { type DataType } from '../writer-part.js'

/** How a dataset that can grow is laid out. */
/** Of a dataset, however it is stored. */
export interface DatasetForm {
  readonly shape: readonly number[]
  /** Undefined for what is not read here, e.g. big-endian numbers. */
  readonly dtype: DatasetLayout['dtype'] | undefined
  readonly name: string
}

export interface DatasetLayout {
  readonly dtype: Exclude<DataType, 'string'>
  readonly row: readonly number[]
  readonly chunk: number
  /** In the order in which a chunk goes through them on its way into the file. */
  readonly filters: readonly ChunkFilter[]
}

/** Of `layout`: also of rows that have grown, which are stored with room for more. */
export const OTHER_CHUNKS = 'its chunks do not span whole rows'

const MOST_TEXT_BYTES = 1 << 20
const UNLIMITED = 0xffffffffffffffffn
const CLASS_INTEGER = 0
const CLASS_FLOAT = 1
const CLASS_STRING = 3

let instance: Promise<Hdf5Module> | undefined
/** Instances that had an error: files may still be open in them, so they must not open any again. */
const brokenInstances = new WeakSet<Hdf5Module>()

const reason = (error: unknown): string => {
  const text = errorText(error)
  const causes = [...text.matchAll(/#\d+:.*?\): (.*)/g)].map((match) => match[1])
  return causes.length === 0
    ? (text.split('\n')[0] ?? text)
    : [causes[0], causes.at(-1)].filter((item, i, all) => all.indexOf(item) === i).join(': ')
}

const typeFields = (dtype: DataType): object => {
  const common = { littleEndian: true, vlen: dtype === 'string', signed: false }
  if (dtype === 'string') return { ...common, type: CLASS_STRING, size: 4, cset: 1 }
  if (typeof dtype !== 'string') return { ...common, type: CLASS_STRING, size: dtype.string, cset: 1 }
  const { size, float, signed } = numberTypes[dtype]
  return { ...common, type: float ? CLASS_FLOAT : CLASS_INTEGER, size, signed }
}

/** One file opened by the library. Every error is a CodedError; after the first one the file is flushed and only close() remains. */
export class WasmFile {
  #broken: string | undefined
  #file: bigint

  readonly #module: Hdf5Module

  private constructor(
    module: Hdf5Module,
    readonly path: string,
    mode: 'create' | 'change' | 'read'
  ) {
    this.#module = module

    this.#file = -1n
    const access = { create: module.H5F_ACC_EXCL, change: module.H5F_ACC_RDWR, read: module.H5F_ACC_RDONLY }[mode]
    this.#file = this.#guard(mode, path, () =>
      module.open(path, access, false, module.H5F_LIBVER_EARLIEST, module.H5F_LIBVER_LATEST)
    )
  }

  /** Loads the library if need be; `open` is synchronous afterwards. */
  static async library(): Promise<(path: string, mode: 'create' | 'change' | 'read') => WasmFile> {
    const module = await (instance ??= loadModule())
    return (path, mode) => {
      if (brokenInstances.has(module))
        throw new CodedError('HDF5_FAILED', `${path}: the HDF5 library cannot be used again after its failure`)
      return new WasmFile(module, path, mode)
    }
  }

  #guard<T>(what: string, path: string, action: () => T): T {
    if (this.#broken !== undefined)
      throw new CodedError(
        'HDF5_FAILED',
        `${this.path}: cannot ${what} ${path} after an earlier failure: ${this.#broken}`
      )
    try {
      return action()
    } catch (error) {
      this.#broken = reason(error)
      instance = undefined
      brokenInstances.add(this.#module)
      throw new CodedError('HDF5_FAILED', `${this.path}: cannot ${what} ${path}: ${this.#broken}${this.#rescue()}`, {
        cause: error
      })
    }
  }

  /** Without a flush the library would never write what it has; close() says 0 all the same. */
  #rescue(): string {
    if (this.#file < 0n) return ''
    try {
      this.#module.flush(this.#file)
      return ''
    } catch (error) {
      return ` (and what was made before could not be saved: ${reason(error)})`
    }
  }

  #withBytes<T>(bytes: Uint8Array, action: (pointer: bigint) => T): T {
    const pointer = this.#module._malloc(Math.max(8, bytes.byteLength))
    if (pointer === 0) throw new Error(`no memory for ${bytes.byteLength} bytes`)
    try {
      this.#module.HEAPU8.set(bytes, pointer)
      return action(BigInt(pointer))
    } finally {
      this.#module._free(pointer)
    }
  }

  group(path: string): void {
    this.#guard('create group', path, () => this.#module.create_group(this.#file, path, false))
  }

  dataset(path: string, value: Encoded): void {
    const shape = value.shape.map(BigInt)
    const metadata = {
      ...typeFields(value.dtype),
      shape,
      maxshape: shape,
      chunks: null,
      compression: 0,
      compression_opts: []
    }
    this.#guard('create dataset', path, () => {
      if ('texts' in value) this.#module.create_vlen_str_dataset(this.#file, path, value.texts, metadata)
      else this.#withBytes(value.bytes, (pointer) => this.#module.create_dataset(this.#file, path, pointer, metadata))
    })
  }

  column(path: string, { dtype, row, chunk, filters }: DatasetLayout): void {
    const [filter, ...more] = filters
    // Nothing else can be asked of the library here, and its refusal would cost the instance
    if (filter && (filter.id !== filterIds.gzip || more.length > 0))
      throw new CodedError(
        'STRUCTURE_INVALID',
        `${path}: the h5wasm back end compresses by gzip only, without shuffle`,
        { path }
      )
    const trailing = row.map(BigInt)
    const metadata = {
      ...typeFields(dtype),
      shape: [0n, ...trailing],
      maxshape: [UNLIMITED, ...trailing],
      chunks: [BigInt(chunk), ...trailing],
      compression: filter?.id ?? 0,
      compression_opts: filter?.values ?? []
    }
    this.#guard('create dataset', path, () =>
      this.#withBytes(new Uint8Array(8), (pointer) => this.#module.create_dataset(this.#file, path, pointer, metadata))
    )
  }

  attribute(path: string, name: string, value: Encoded): void {
    const shape = value.shape.map(BigInt)
    const metadata = { ...typeFields(value.dtype), shape, maxshape: shape }
    this.#guard('create attribute', `${path}@${name}`, () => {
      if ('texts' in value) this.#module.create_vlen_str_attribute(this.#file, path, name, value.texts, metadata)
      else
        this.#withBytes(value.bytes, (pointer) =>
          this.#module.create_attribute(this.#file, path, name, pointer, metadata)
        )
    })
  }

  link(path: string, target: string, kind: 'hard' | 'soft' | 'external'): void {
    this.#guard(`create ${kind} link`, path, () => {
      if (kind === 'soft') return this.#module.create_soft_link(this.#file, target, path)
      if (kind === 'hard') return this.#module.create_hard_link(this.#file, target, path)
      const colon = target.lastIndexOf(':')
      return this.#module.create_external_link(this.#file, target.slice(0, colon), target.slice(colon + 1), path)
    })
  }

  kind(path: string): 'group' | 'dataset' | 'other' | 'none' {
    const type = this.#guard('look up', path, () => this.#module.get_type(this.#file, path))
    if (type < 0) return 'none'
    if (type === this.#module.H5G_GROUP) return 'group'
    return type === this.#module.H5G_DATASET ? 'dataset' : 'other'
  }

  children(path: string): string[] {
    return this.#guard('list', path, () => this.#module.get_names(this.#file, path, false))
  }

  /** A soft or external link: what it leads to has another name. */
  isLink(path: string): boolean {
    const [module, file] = [this.#module, this.#file]
    return this.#guard(
      'look up',
      path,
      () => module.get_symbolic_link(file, path) !== null || module.get_external_link(file, path).filename !== undefined
    )
  }

  removeAttribute(path: string, name: string): void {
    this.#guard('remove attribute', `${path}@${name}`, () => this.#module.delete_attribute(this.#file, path, name))
  }

  attributes(path: string): string[] {
    return this.#guard('list attributes of', path, () => this.#module.get_attribute_names(this.#file, path))
  }

  /** Layout and length of a dataset that can grow, or why it cannot be used. */
  layout(path: string): (DatasetLayout & { readonly length: number }) | string {
    return this.#guard('open dataset', path, () => {
      const metadata = this.#module.get_dataset_metadata(this.#file, path)
      const found = this.#module.get_dataset_filters(this.#file, path)
      const { shape, maxshape, chunks } = metadata
      if (!shape || !maxshape || !chunks || shape.length === 0) return 'it is not chunked'
      if (Number(maxshape[0]) < Number(UNLIMITED)) return 'its first dimension is limited'
      if (shape.slice(1).some((n, i) => Number(n) !== Number(chunks[i + 1]))) return OTHER_CHUNKS
      const bigEndian = metadata.type !== CLASS_STRING && !metadata.littleEndian
      if (bigEndian || metadata.vlen) return 'its data type is not supported'
      const dtype = dtypeOf(metadata)
      if (dtype === undefined) return 'its data type is not supported'
      const filters = found.map(({ id, cd_values: values }) => ({ id, values }))
      if (filters.length > 1 && codec(filters) === undefined) return 'it has filters that cannot be written'
      return { dtype, row: shape.slice(1).map(Number), chunk: Number(chunks[0]), filters, length: Number(shape[0]) }
    })
  }

  /** Shape and, where it is a plain number, type of any dataset, however it is stored, with a word for it; undefined without a shape. */
  form(path: string): DatasetForm | undefined {
    return this.#guard('open dataset', path, () => {
      const metadata = this.#module.get_dataset_metadata(this.#file, path)
      const { littleEndian, vlen, type, shape, size } = metadata
      if (shape === null) return undefined
      const found = vlen ? undefined : dtypeOf(metadata)
      const text = type === CLASS_STRING ? (vlen ? 'string' : `string(${size})`) : undefined
      const number = typeof found === 'string' ? found + (littleEndian ? '' : ' (big-endian)') : undefined
      const dtype = littleEndian ? found : undefined
      return { shape: shape.map(Number), dtype, name: text ?? number ?? 'other' }
    })
  }

  /** Registered ids. */
  filters(path: string): number[] {
    return this.#guard('open dataset', path, () =>
      this.#module.get_dataset_filters(this.#file, path).map(({ id }) => id)
    )
  }

  resize(path: string, shape: readonly number[]): void {
    this.#guard('extend', path, () => this.#module.resize_dataset(this.#file, path, shape.map(BigInt)))
  }

  /** Whole rows from `start` on. */
  write(path: string, start: number, rows: number, row: readonly number[], bytes: Uint8Array): void {
    const count = [rows, ...row].map(BigInt)
    const offset = [start, ...row.map(() => 0)].map(BigInt)
    const strides = count.map(() => 1n)
    this.#guard('write', path, () =>
      this.#withBytes(bytes, (pointer) =>
        this.#module.set_dataset_data(this.#file, path, count, offset, strides, pointer)
      )
    )
  }

  read(path: string, start: number, rows: number, { dtype, row }: DatasetLayout): Buffer {
    const size = elements(row) * rows * (typeof dtype === 'string' ? numberTypes[dtype].size : dtype.string)
    const count = [rows, ...row].map(BigInt)
    const offset = [start, ...row.map(() => 0)].map(BigInt)
    const strides = count.map(() => 1n)
    return this.#guard('read', path, () =>
      this.#withBytes(new Uint8Array(size), (pointer) => {
        this.#module.get_dataset_data(this.#file, path, count, offset, strides, pointer)
        return Buffer.from(this.#module.HEAPU8.slice(Number(pointer), Number(pointer) + size))
      })
    )
  }

  /** A text attribute (the first element of a list); undefined when there is none. */
  attributeText(path: string, name: string): string | undefined {
    if (!this.attributes(path).includes(name)) return undefined
    return this.#guard('read attribute', `${path}@${name}`, () => {
      const metadata = this.#module.get_attribute_metadata(this.#file, path, name)
      return this.#firstText(
        metadata,
        (pointer) => {
          this.#module.get_attribute_data(this.#file, path, name, pointer)
        },
        (pointer) => this.#module.reclaim_vlen_memory(this.#file, path, name, pointer)
      )
    })
  }

  /** The text of a dataset (the first element of a list); undefined when it holds no text. */
  text(path: string): string | undefined {
    return this.#guard('read', path, () => {
      const metadata = this.#module.get_dataset_metadata(this.#file, path)
      return this.#firstText(
        metadata,
        (pointer) => {
          this.#module.get_dataset_data(this.#file, path, null, null, null, pointer)
        },
        (pointer) => this.#module.reclaim_vlen_memory(this.#file, path, '', pointer)
      )
    })
  }

  #firstText(
    metadata: TypeMetadata,
    read: (pointer: bigint) => void,
    free: (pointer: bigint) => void
  ): string | undefined {
    const { type, shape, size, vlen } = metadata
    const count = shape === null ? 0 : elements(shape.map(Number))
    if (type !== CLASS_STRING || count === 0 || count * size > MOST_TEXT_BYTES) return undefined
    return this.#withBytes(new Uint8Array(count * size), (pointer) => {
      read(pointer)
      const at = Number(pointer)
      const heap = this.#module.HEAPU8
      const from = vlen ? new DataView(heap.buffer).getUint32(at, true) : at
      const end = heap.indexOf(0, from)
      const bytes =
        from === 0 ? new Uint8Array(0) : heap.slice(from, vlen || (end >= 0 && end < from + size) ? end : from + size)
      if (vlen) free(pointer)
      return Buffer.from(bytes).toString().trimEnd()
    })
  }

  /** File address of the object header. */
  address(path: string): number {
    const reference = this.#guard('find', path, () => this.#module.create_object_reference(this.#file, path))
    return Number(Buffer.from(reference).readBigUInt64LE(0))
  }

  flush(): void {
    this.#guard('flush', '', () => this.#module.flush(this.#file))
  }

  /** Flushes, then closes: the library would lose metadata otherwise. After a failure the file was flushed then, and stays as it was. */
  close(): void {
    if (this.#broken !== undefined) return
    this.flush()
    this.#guard('close', '', () => this.#module.close_file(this.#file))
    this.#broken = 'it is closed'
  }
}

function dtypeOf({ type, size, signed }: TypeMetadata): DatasetLayout['dtype'] | undefined {
  if (type === CLASS_STRING) return { string: size }
  if (type !== CLASS_INTEGER && type !== CLASS_FLOAT) return undefined
  const names = Object.keys(numberTypes) as (keyof typeof numberTypes)[]
  return names.find((name) => {
    const info = numberTypes[name]
    return info.float === (type === CLASS_FLOAT) && info.size === size && (info.float || info.signed === signed)
  })
}
