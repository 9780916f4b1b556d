// h5wasm's low-level interface, and how to get a fresh instance of it.
export interface TypeMetadata {
  readonly type: number
  readonly size: number
  readonly signed: boolean
  readonly littleEndian: boolean
  readonly vlen: boolean
  readonly cset?: number
  readonly shape: readonly (number | bigint)[] | null
  /** Doubles: an unlimited dimension is 2^64. */
  readonly maxshape: readonly number[] | null
  readonly chunks: readonly (number | bigint)[] | null
}

/** The part of h5wasm's low-level interface that is used here (its own types want a browser's). */
export interface Hdf5Module {
  readonly H5F_ACC_RDONLY: number
  readonly H5F_ACC_RDWR: number
  readonly H5F_ACC_EXCL: number
  readonly H5F_LIBVER_EARLIEST: number
  readonly H5F_LIBVER_LATEST: number
  readonly H5G_GROUP: number
  readonly H5G_DATASET: number
  readonly HEAPU8: Uint8Array
  _malloc(bytes: number): number
  _free(pointer: number): void
  activate_throwing_error_handler(): number
  open(path: string, mode: number, trackOrder: boolean, low: number, high: number): bigint
  close_file(file: bigint): number
  flush(file: bigint): number
  get_type(file: bigint, path: string): number
  get_names(file: bigint, path: string, recursive: boolean): string[]
  /** Null for what is no soft link. */
  get_symbolic_link(file: bigint, path: string): string | null
  /** Empty for what is no external link. */
  get_external_link(file: bigint, path: string): { filename?: string; obj_path?: string }
  get_attribute_names(file: bigint, path: string): string[]
  create_group(file: bigint, path: string, trackOrder: boolean): number
  create_dataset(file: bigint, path: string, data: bigint, metadata: object): number
  create_vlen_str_dataset(file: bigint, path: string, texts: readonly string[], metadata: object): number
  create_attribute(file: bigint, path: string, name: string, data: bigint, metadata: object): number
  create_vlen_str_attribute(
    file: bigint,
    path: string,
    name: string,
    texts: readonly string[],
    metadata: object
  ): number
  delete_attribute(file: bigint, path: string, name: string): number
  create_soft_link(file: bigint, target: string, path: string): number
  create_hard_link(file: bigint, target: string, path: string): number
  create_external_link(file: bigint, fileName: string, target: string, path: string): number
  create_object_reference(file: bigint, path: string): Uint8Array
  get_dataset_metadata(file: bigint, path: string): TypeMetadata
  get_dataset_filters(file: bigint, path: string): readonly { id: number; cd_values: number[] }[]
  get_dataset_data(
    file: bigint,
    path: string,
    count: bigint[] | null,
    offset: bigint[] | null,
    strides: bigint[] | null,
    data: bigint
  ): number
  get_attribute_metadata(file: bigint, path: string, name: string): TypeMetadata
  get_attribute_data(file: bigint, path: string, name: string, data: bigint): number
  reclaim_vlen_memory(file: bigint, path: string, attribute: string, data: bigint): number
  set_dataset_data(
    file: bigint,
    path: string,
    count: bigint[],
    offset: bigint[],
    strides: bigint[],
    data: bigint
  ): number
  resize_dataset(file: bigint, path: string, shape: bigint[]): number
}

/** A new instance of the library that throws its errors. */
export async function loadModule(): Promise<Hdf5Module> {
  // The package exports one ready-made instance only; a fresh one can be had from its factory
  const factory = new URL('hdf5_util.js', import.meta.resolve('h5wasm/node'))
  const { default: create } = (await import(factory.href)) as { default: (options: object) => Promise<Hdf5Module> }
  const module = await create({ noInitialRun: true })
  module.activate_throwing_error_handler()
  return module
}
