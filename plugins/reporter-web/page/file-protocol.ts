// What the page and the worker that reads HDF5 files say to each other.

export interface FileSource {
  readonly url: string
  readonly bytes: number
  /** Empty: none is needed. */
  readonly token: string
}
export type FileQuestion =
  | { readonly type: 'open'; readonly source: FileSource }
  /** What is at a path of the file. */
  | { readonly type: 'look'; readonly path: string }

/** What a group holds. */
export interface FileEntry {
  readonly name: string
  readonly kind: 'group' | 'dataset' | 'link' | 'type'
  /** Class of a group, type and shape of a dataset, target of a link. */
  readonly about: string
}
/** A curve: of a log over its time, or of a list over its index. */
export interface FileCurve {
  readonly x: readonly number[]
  readonly y: readonly number[]
  readonly xLabel: string
  readonly yLabel: string
  /** Points that it was made of. */
  readonly points: number
}
export interface FileObject {
  readonly path: string
  readonly kind: FileEntry['kind']
  readonly about: string
  readonly attributes: readonly (readonly [name: string, value: string])[]
  readonly entries: readonly FileEntry[]
  /** Entries that are not listed. */
  readonly more: number
  /** The first values. */
  readonly value: string | null
  readonly curve: FileCurve | null
  /** Why there is no value. */
  readonly error: string | null
}
export type FromFileWorker = { readonly ask: number } & ({ readonly object: FileObject } | { readonly problem: string })
export type ToFileWorker = { readonly ask: number } & FileQuestion
