// Every object of an HDF5 file, in the order of a walk: for `nexstream show FILE --tree`.
import { openToRead } from './summary.js'
import { type WasmFile } from './wasm.js'

export interface TreeLine {
  readonly path: string
  /** `again`: a group that was listed before, by another link; `other`: a link to nothing here, a named type. */
  readonly kind: 'group' | 'dataset' | 'again' | 'other'
  /** Of a dataset; `other` for what is no plain number or text. */
  readonly dtype?: string
  /** Undefined for a dataset without a shape. */
  readonly shape?: readonly number[]
  /** `text` where it is a text. */
  readonly attributes: readonly { readonly name: string; readonly text: string | undefined }[]
}

/** Throws CodedError FILE_READ, HDF5_FAILED. */
export async function treeOf(path: string): Promise<readonly TreeLine[]> {
  const { file } = await openToRead(path)
  const lines: TreeLine[] = []
  const seen = new Set<number>()
  try {
    // A stack, the next one last: deep files do not end the process
    const todo = childrenOf(file, '/')
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      const line = lineOf(file, next, seen)
      lines.push(line)
      if (line.kind === 'group') todo.push(...childrenOf(file, next))
    }
    return lines
  } finally {
    file.close()
  }
}

const childrenOf = (file: WasmFile, path: string): string[] =>
  file
    .children(path)
    .map((name) => (path === '/' ? `/${name}` : `${path}/${name}`))
    .toReversed()

function lineOf(file: WasmFile, path: string, seen: Set<number>): TreeLine {
  const kind = file.kind(path)
  if (kind !== 'group' && kind !== 'dataset') return { path, kind: 'other', attributes: [] }
  const attributes = file.attributes(path).map((name) => ({ name, text: file.attributeText(path, name) }))
  if (kind === 'dataset') {
    const form = file.form(path)
    return { path, kind, dtype: form?.name ?? 'other', ...(form && { shape: form.shape }), attributes }
  }
  const address = file.address(path)
  if (seen.has(address)) return { path, kind: 'again', attributes }
  seen.add(address)
  return { path, kind, attributes }
}
