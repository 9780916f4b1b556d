// A nexus_structure from a file: what it holds as it is, and streams where others are to write.
import { type ContentVisitor, valuesOf, visitContent } from '../file/content.js'
import { type AttributeValue, type DataType } from '../writer-part.js'

type Json = Record<string, unknown>
interface GroupNode extends Json {
  readonly children: Json[]
  readonly attributes: Json[]
}

/** Of the file itself, and of the library that made it. */
const fileAttributes = new Set([
  'HDF5_Version',
  'h5py_version',
  'file_name',
  'file_time',
  'creator',
  'file_update_time'
])

/** Path of a group → its stream, and the datasets and attributes that the stream's writer makes. */
export interface StreamOf {
  readonly node: Json
  readonly datasets: ReadonlySet<string>
  readonly attributes: ReadonlySet<string>
}

/** Numbers of 64 bits become text, which a structure may have. What cannot be taken over is told. Throws CodedError FILE_READ. */
export async function structureOfFile(
  file: string,
  streams: ReadonlyMap<string, StreamOf>
): Promise<{ readonly structure: Json; readonly notes: readonly string[] }> {
  const builder = new StructureBuilder(streams)
  await visitContent(file, builder)
  return { structure: builder.root, notes: builder.notes }
}

class StructureBuilder implements ContentVisitor {
  readonly root: GroupNode = { children: [], attributes: [] }
  readonly notes: string[] = []
  readonly #groups = new Map<string, GroupNode>([['/', this.root]])
  readonly #datasets = new Map<string, Json[]>()
  readonly #streams: ReadonlyMap<string, StreamOf>

  constructor(streams: ReadonlyMap<string, StreamOf>) {
    this.#streams = streams
  }

  wants(path: string): boolean {
    const [parent, name] = placeOf(path)
    return this.#streams.get(parent)?.datasets.has(name) !== true
  }

  group(path: string): void {
    if (path === '/') return
    const [parent, name] = placeOf(path)
    const stream = this.#streams.get(path)
    const node = { type: 'group', name, attributes: [], children: stream === undefined ? [] : [stream.node] }
    this.#groups.set(path, node)
    this.#groups.get(parent)?.children.push(node)
  }

  dataset(path: string, { dtype, shape, value }: Parameters<ContentVisitor['dataset']>[1]): void {
    const [parent, name] = placeOf(path)
    const values = shaped(Buffer.isBuffer(value) ? valuesOf(value, dtype) : value, shape)
    const attributes: Json[] = []
    this.#datasets.set(path, attributes)
    const type = typeof dtype === 'string' ? { dtype } : { dtype: 'string', string_size: dtype.string }
    this.#groups.get(parent)?.children.push({ module: 'dataset', config: { name, ...type, values }, attributes })
  }

  attribute(path: string, name: string, { value, dtype }: { value: AttributeValue; dtype: DataType }): void {
    if (path === '/' && fileAttributes.has(name)) return
    if (this.#streams.get(path)?.attributes.has(name) === true) return
    const list = this.#datasets.get(path) ?? this.#groups.get(path)?.attributes
    list?.push({ name, dtype: typeof dtype === 'string' ? dtype : 'string', values: plain(value) })
  }

  link(path: string, kind: 'hard' | 'soft' | 'external', target: string): void {
    const [parent, name] = placeOf(path)
    const colon = target.lastIndexOf(':')
    const source =
      kind === 'external' ? { source: target.slice(colon + 1), file: target.slice(0, colon) } : { source: target }
    if (this.wants(path)) this.#groups.get(parent)?.children.push({ module: 'link', config: { name, ...source } })
  }

  refused(path: string, why: string): void {
    this.notes.push(`${path} is not in the structure: it ${why}`)
  }
}

function placeOf(path: string): [parent: string, name: string] {
  const at = path.lastIndexOf('/')
  return [at === 0 ? '/' : path.slice(0, at), path.slice(at + 1)]
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  return Array.isArray(value) ? value.map(plain) : value
}

function shaped(values: readonly unknown[], shape: readonly number[]): unknown {
  if (shape.length === 0) return plain(values[0] ?? '')
  if (shape.length === 1) return plain([...values])
  const [count = 0, ...rest] = shape
  const size = rest.reduce((product, n) => product * n, 1)
  return Array.from({ length: count }, (_, i) => shaped(values.slice(i * size, (i + 1) * size), rest))
}
