// Writers: decoded records of one stream into one group of a file.
import { type Context, type JSONSchema, type Options, type Part } from '../../core/api/plugin.js'
import { type Scalar, type VectorType } from '../../schemas/index.js'

/** `{ string: n }` is a fixed-length UTF-8 string of n bytes, null padded; `string` is variable-length. */
export type DataType = VectorType | 'string' | { readonly string: number }
/** `bool` is stored as int8. */
export type AttributeValue =
  string | number | bigint | boolean | readonly string[] | readonly number[] | readonly bigint[]
/** With its type; `shape` is for lists of several dimensions, which `value` has in one. */
export interface TypedAttribute {
  readonly value: AttributeValue
  readonly dtype: DataType
  readonly shape?: readonly number[]
}
export type Attributes = Readonly<Record<string, AttributeValue | TypedAttribute>>

/** An appendable dataset: rows along the first, unlimited dimension. */
export interface Column {
  readonly path: string
  /** Rows appended so far. */
  readonly length: number
  /** Whole rows, little-endian; bytes are used up when the call returns. */
  append(rows: Uint8Array): void
  /** One element of any type but 64-bit integers (for which a number is allowed if it is a safe integer). */
  appendNumber(value: number): void
  /** One 64-bit integer element. */
  appendBigInt(value: bigint): void
  /** The same in two 32-bit halves, e.g. of a Scalar. */
  appendHalves(high: number, low: number): void
  /** One fixed-length string element, cut at a character boundary when too long. */
  appendString(text: string): void
  /**
   * The column for rows of a larger shape, to be used from now on in the place of this one: same dataset, the rows so far filled up
   * with 0. Same number of dimensions, unless a row was one element; writes all rows anew, the second time with room for twice the
   * shape. Undefined where the file cannot (back end `h5wasm`, rows too large): this column goes on as it is.
   */
  grow(row: readonly number[]): Column | undefined
}

export interface ColumnOptions {
  readonly dtype: VectorType | { readonly string: number }
  /** Shape of one row; [] (default) for a 1-D dataset. */
  readonly row?: readonly number[]
  /** Rows per chunk; default 1024, or what makes about 1 MiB when `bulk`. */
  readonly chunk?: number
  /** Large appends are expected (events, frames): chunk and alignment for direct writes. */
  readonly bulk?: boolean
  /** Points into other datasets of the group (event_index, cue_*, time): published after them at a checkpoint. */
  readonly index?: boolean
  /** `bitshuffle` packs by LZ4. `shuffle`: first bytes of all elements first, which packs numbers better. */
  readonly compression?: {
    readonly filter: 'gzip' | 'zstd' | 'lz4' | 'bitshuffle'
    readonly level?: number
    readonly shuffle?: boolean
  }
  readonly attributes?: Attributes
}

/** One HDF5 group. Names are checked: no '/', not '.', not empty. Creating what exists throws HDF5_EXISTS. */
export interface Group {
  readonly path: string
  has(name: string): boolean
  group(name: string, attributes?: Attributes): Group
  column(name: string, options: ColumnOptions): Column
  /** A dataset of fixed content. `shape` defaults to scalar for a scalar, [n] for a list. */
  dataset(
    name: string,
    value: DatasetValue,
    options: { dtype: DataType; shape?: readonly number[] | undefined; attributes?: Attributes }
  ): void
  /** `shape` is for lists of several dimensions, which `value` has in one. */
  attribute(name: string, value: AttributeValue, dtype?: DataType, shape?: readonly number[]): void
  /**
   * Sets an attribute of a dataset of this group (or of itself, '.', unless the structure has given it), in the place of one of that
   * name; only in `late` and `Writer.close`.
   */
  datasetAttribute(dataset: string, name: string, value: AttributeValue, dtype?: DataType): void
  /** `target` is an absolute path in the file (hard, soft) or `FILE:PATH` (external). */
  link(name: string, target: string, kind?: 'hard' | 'soft' | 'external'): void
}
export type DatasetValue = AttributeValue | ArrayBufferView | readonly boolean[]

/** What is known about the run that a write job records. */
export interface RunInfo {
  readonly startNs: bigint
  /** As it stands now; null while none is set. */
  readonly stopNs: bigint | null
  readonly fileName: string
  readonly runName: string
  readonly instrumentName: string
  readonly periods: number | null
  /** Spectrum number ↔ detector ids of pl72 or df12. */
  readonly detectorSpectrumMap: {
    readonly spectra: readonly number[]
    readonly detectors: readonly number[]
    readonly monitors: number
  } | null
}

/** What a writer is opened with. */
export interface WriterContext extends Context {
  /** The write job, for writers of run information. */
  readonly run?: RunInfo
  /**
   * Runs `change`, which may make columns, datasets, groups and attributes although messages come already (what only
   * the first message tells). Costs milliseconds: once per stream, not more. Names are noted in `madeAtClose` where links may want them.
   */
  late?(change: () => void): void
}

/** Writes the records of one stream into one group; opened and run inside the job's worker thread. */
export interface Writer<R = unknown> {
  /** Called for each message that is in the time window; synchronous. Throw BadMessage to have it counted and skipped. */
  write(record: R, schemaId: string): void
  /** For speed: as `write` for what a converter's `scalar` found, with the same outcome. The scalar is used again. */
  writeScalar?(scalar: Scalar, schemaId: string): void
  /** Called after the last message: what was gathered can still be appended. */
  flush?(): void
  /** Called when all columns are complete; static datasets and attributes may still be made. */
  close?(): void
}

// Typed parts lose their config type in the registry: options are checked before `open` is called.
const erase = (part: unknown): WriterPart => part as WriterPart

/** A log that Mantid is to find in DASlogs: of a module on the same messages, or one that the writer makes in its group by itself. */
export type MantidLog =
  | { readonly module: string; readonly config: Readonly<Record<string, unknown>> }
  | { readonly name: string; readonly link: string }

/** `id` is the module name that a nexus_structure names, e.g. `f144`. */
export interface WriterPart<C extends JSONSchema = JSONSchema, R = unknown> extends Part<C> {
  /** Schema ids whose decoded records it takes; [] for a writer that needs no topic and source (run information). */
  readonly accepts: readonly string[]
  /** Written as NX_class when the structure gives none. */
  readonly nxClass: string
  /** True: also the last message before the window, and repeated times dropped (logs); false: the window only (events). */
  readonly keepsLast: boolean
  /** Names that `late` and `close` may make in its group; links may point to them, and nothing else may have them. */
  madeAtClose?(config: Options<C>): readonly string[]
  /** Module ids that are opened in the same group for the same source, unless the structure or the config says otherwise. */
  companions?(config: Options<C>): readonly string[]
  /** In a file of flavour `mantid`: what its config becomes, and the logs beside it. */
  readonly mantid?: {
    config?(config: Options<C>): Options<C>
    logs?(config: Options<C>): readonly MantidLog[]
  }
  /** Makes the datasets. Throws CodedError for a config that cannot be written. */
  open(group: Group, config: Options<C>, context: WriterContext): Writer<R>
}

export const defineWriter = <const C extends JSONSchema, R>(part: WriterPart<C, R>): WriterPart => erase(part)
