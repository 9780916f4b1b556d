// What differs between two HDF5 files: objects, their types and shapes, values, attributes, links.
import { createHash } from 'node:crypto'
import { typedArrays } from '../../../schemas/numbers.js'
import { type DataType } from '../writer-part.js'
import { type TypedContent, visitContent } from './content.js'
import { sizeOf } from './summary.js'
import { elements } from './types.js'

export interface Difference {
  /** `/entry/a`, `/entry/a@units`. */
  readonly path: string
  /** `kind` is type, shape or target; where it differs, values are not compared. */
  readonly what: 'only_first' | 'only_second' | 'kind' | 'value'
  readonly text: string
}

/** What is kept of an object or attribute while the rest of the file is read. */
interface Kept {
  readonly kind: string
  /** Of its value; what is short is kept as it is. */
  readonly value: string
  readonly isDataset: boolean
}

const shapeText = (shape: readonly number[]): string => (shape.length === 0 ? '' : ` [${shape.join(' × ')}]`)
const typeText = (dtype: DataType): string => (typeof dtype === 'string' ? dtype : `text of ${dtype.string} bytes`)

function digest({ value }: TypedContent): string {
  const hash = createHash('sha256')
  if (Buffer.isBuffer(value)) hash.update(value)
  else for (const text of value) hash.update(`${text.length}:${text}`)
  return hash.digest('hex')
}

/** Path → what is there. Throws CodedError FILE_READ. */
async function contentOf(file: string, isIgnored: (path: string) => boolean): Promise<Map<string, Kept>> {
  sizeOf(file)
  const found = new Map<string, Kept>()
  const keep = (path: string, kind: string, value = '', isDataset = false): void => {
    if (!isIgnored(path)) found.set(path, { kind, value, isDataset })
  }
  await visitContent(file, {
    wants: (path) => !isIgnored(path),
    group: (path) => keep(path, 'group'),
    dataset: (path, content) => keep(path, `dataset ${typeText(content.dtype)}${shapeText(content.shape)}`, digest(content), true), // prettier-ignore
    attribute: (path, name, { value, dtype }) => keep(`${path}@${name}`, `attribute ${typeText(dtype)}`, JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? String(item) : item))), // prettier-ignore
    link: (path, kind, target) => keep(path, `${kind} link to ${target}`),
    refused: (path, why) => keep(path, `cannot be read: ${why}`)
  })
  return found
}

/**
 * In the order of the first file, then what only the second one has. `isIgnored` is asked for paths of objects and attributes; what lies
 * below an ignored one is asked for, too. Throws CodedError FILE_READ.
 */
export async function differences(
  [a, b]: readonly [string, string],
  isIgnored: (path: string) => boolean
): Promise<Difference[]> {
  const [first, second] = [await contentOf(a, isIgnored), await contentOf(b, isIgnored)]
  const found: Difference[] = []
  const values = new Set<string>()
  for (const [path, { kind, value, isDataset }] of first) {
    const other = second.get(path)
    if (other === undefined) found.push({ path, what: 'only_first', text: kind })
    else if (other.kind !== kind) found.push({ path, what: 'kind', text: `${kind} / ${other.kind}` })
    else if (other.value !== value) {
      if (isDataset) values.add(path)
      found.push({ path, what: 'value', text: isDataset ? '' : `${value} / ${other.value}` })
    }
  }
  for (const [path, { kind }] of second) if (!first.has(path)) found.push({ path, what: 'only_second', text: kind })
  if (values.size === 0) return found
  const texts = await valueTexts([a, b], values)
  return found.map((one) => (one.text === '' ? { ...one, text: texts.get(one.path) ?? 'values differ' } : one))
}

/** Which elements differ, one dataset of the second file after the other beside all of the first that differ. */
async function valueTexts([a, b]: readonly [string, string], paths: ReadonlySet<string>): Promise<Map<string, string>> {
  const contents = new Map<string, TypedContent>()
  const texts = new Map<string, string>()
  const only = { wants: (path: string) => paths.has(path), group: () => undefined, attribute: () => undefined, link: () => undefined, refused: () => undefined } // prettier-ignore
  await visitContent(a, { ...only, dataset: (path, content) => void contents.set(path, content) })
  await visitContent(b, {
    ...only,
    dataset: (path, content) => {
      const other = contents.get(path)
      if (other !== undefined) texts.set(path, elementText(other, content))
      contents.delete(path)
    }
  })
  return texts
}

function elementsOf({ dtype, shape, value }: TypedContent): ArrayLike<unknown> {
  if (!Buffer.isBuffer(value)) return value
  const count = elements(shape)
  if (typeof dtype === 'string' && dtype !== 'string') {
    const bytes = Uint8Array.from(value)
    return new typedArrays[dtype](bytes.buffer, 0, count)
  }
  const size = count === 0 ? 0 : value.length / count
  return Array.from({ length: count }, (_, i) => value.subarray(i * size, (i + 1) * size).toString().replace(/\0+$/, '')) // prettier-ignore
}

const shown = (value: unknown): string => (typeof value === 'string' ? JSON.stringify(value) : String(value))

function elementText(a: TypedContent, b: TypedContent): string {
  const [left, right] = [elementsOf(a), elementsOf(b)]
  let [count, first] = [0, -1]
  for (let i = 0; i < left.length; i++)
    if (!Object.is(left[i], right[i])) {
      if (count === 0) first = i
      count++
    }
  const where = left.length === 1 ? '' : `${count} of ${left.length} values, the first at ${first}: `
  return `${where}${shown(left[first])} / ${shown(right[first])}`
}
