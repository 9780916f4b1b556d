// What is at a path of an HDF5 file, in words and bounded: attributes, what a group holds, first values, a curve.
import type { Attribute, Dataset, Entity, File, Group } from 'h5wasm'
import { type FileCurve, type FileEntry, type FileObject } from './file-protocol.js'

const MOST_ENTRIES = 1000
const MOST_ATTRIBUTES = 200
/** Values that are shown, and read for a curve; points of it. */
const MOST_VALUES = 200
const MOST_READ = 4_000_000
const MOST_POINTS = 4000
const MOST_TEXT = 4000

const isGroup = (entity: Entity | null): entity is Group => entity !== null && 'keys' in entity
const isDataset = (entity: Entity | null): entity is Dataset => entity !== null && 'slice' in entity

const plainText = (value: unknown): string => {
  const text = typeof value === 'string' ? value : (JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? String(one) : ArrayBuffer.isView(one) ? [...(one as Float64Array)] : one)) ?? '') // prettier-ignore
  return text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)} …` : text
}

function valueText({ value }: Attribute): string {
  try {
    return plainText(value)
  } catch (error) {
    return `(${(error as Error).message})`
  }
}

const attribute = (entity: Group | Dataset, name: string): string => {
  const found = entity.attrs[name]
  return found === undefined ? '' : valueText(found)
}

const typeText = ({ dtype, metadata }: Dataset): string => {
  if (typeof dtype !== 'string') return 'compound'
  const { type, size, signed } = metadata
  if (type === 3) return 'text'
  return type === 0 ? `${signed ? 'int' : 'uint'}${8 * size}` : type === 1 ? `float${8 * size}` : dtype
}

const shapeText = ({ shape }: Dataset): string =>
  shape === null ? 'empty' : shape.length === 0 ? '' : shape.join(' × ')

const aboutDataset = (dataset: Dataset): string => `${typeText(dataset)} ${shapeText(dataset)}`.trim()

function entryOf(group: Group, name: string): FileEntry {
  const child = group.get(name)
  if (isGroup(child)) return { name, kind: 'group', about: attribute(child, 'NX_class') }
  if (isDataset(child)) return { name, kind: 'dataset', about: aboutDataset(child) }
  if (child !== null && 'filename' in child) {
    const { filename, obj_path: path } = child as { filename: string; obj_path: string }
    return { name, kind: 'link', about: `in another file: ${filename} ${path}` }
  }
  return { name, kind: 'link', about: 'leads nowhere' }
}

/** Numbers of a list; undefined when it holds none, or too many. */
function numbersOf(dataset: Dataset | undefined): number[] | undefined {
  const { shape = null, metadata } = dataset ?? {}
  if (dataset === undefined || shape?.length !== 1 || (metadata?.type !== 0 && metadata?.type !== 1)) return undefined
  const length = shape[0] ?? 0
  if (length < 2 || length > MOST_READ) return undefined
  return Array.from(dataset.value as ArrayLike<number | bigint>, Number)
}

/** Lowest and highest of each stretch, so that no peak is lost. */
function thinned(x: readonly number[], y: readonly number[]): readonly [number[], number[]] {
  const step = Math.ceil((2 * y.length) / MOST_POINTS)
  if (step <= 2) return [[...x], [...y]]
  const [xs, ys]: [number[], number[]] = [[], []]
  for (let at = 0; at < y.length; at += step) {
    const end = Math.min(y.length, at + step)
    let [low, high] = [at, at]
    for (let i = at; i < end; i++) {
      if ((y[i] ?? 0) < (y[low] ?? 0)) low = i
      if ((y[i] ?? 0) > (y[high] ?? 0)) high = i
    }
    for (const i of low <= high ? [low, high] : [high, low]) {
      xs.push(x[i] ?? i)
      ys.push(y[i] ?? 0)
    }
  }
  return [xs, ys]
}

const labelOf = (name: string, dataset: Dataset): string => {
  const units = attribute(dataset, 'units')
  return units === '' ? name : `${name} (${units})`
}

function curve(x: number[] | undefined, y: number[], labels: readonly [string, string]): FileCurve {
  const all = x?.length === y.length ? x : y.map((_, i) => i)
  const [xs, ys] = thinned(all, y)
  return { x: xs, y: ys, xLabel: labels[0], yLabel: labels[1], points: y.length }
}

/** Units of times, in seconds. */
const seconds: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  ms: 1e-3,
  s: 1,
  second: 1,
  seconds: 1
}

/** Of a log its values over their time. */
function curveOfLog(group: Group): FileCurve | null {
  const [time, value] = ['time', 'value'].map((name) => {
    const child = group.get(name)
    return isDataset(child) ? child : undefined
  })
  const [x, y] = [numbersOf(time), numbersOf(value)]
  if (time === undefined || value === undefined || x === undefined || y === undefined) return null
  const units = attribute(time, 'units')
  // Times count from an epoch: nobody can read them, so the axis begins with the first one
  const scale = seconds[units]
  const since = x[0] ?? 0
  const shown = x.map((at) => (at - since) * (scale ?? 1))
  return curve(shown, y, [`${scale === undefined ? units : 's'} since the first value`, labelOf('value', value)])
}

/** The first values of a dataset, of each axis the first ones. */
function valueOf(dataset: Dataset): string | null {
  const { shape } = dataset
  if (shape === null) return null
  const total = shape.reduce((product, n) => product * n, 1)
  if (total <= MOST_VALUES) return plainText(dataset.value)
  const inner = shape.slice(1).reduce((product, n) => product * n, 1)
  const isFlat = shape.length === 1
  const ranges = isFlat ? [[0, MOST_VALUES]] : shape.map((n, i) => [0, Math.min(n, i === 0 ? Math.max(1, Math.floor(MOST_VALUES / inner)) : i === shape.length - 1 ? MOST_VALUES : 1)]) // prettier-ignore
  return `${plainText(dataset.slice(ranges as [number, number][]))} … of ${total}`
}

export function lookAt(file: File, path: string): FileObject {
  const entity = path === '/' ? file : file.get(path)
  const nothing = { path, attributes: [], entries: [], more: 0, value: null, curve: null, error: null }
  if (!isGroup(entity) && !isDataset(entity))
    return { ...nothing, kind: 'link', about: '', error: 'there is nothing that can be shown' }
  const names = Object.keys(entity.attrs).slice(0, MOST_ATTRIBUTES)
  const attributes = names.map((name) => [name, attribute(entity, name)] as const)
  const common = { ...nothing, attributes }
  try {
    if (isDataset(entity)) {
      const y = numbersOf(entity)
      const label = labelOf(path.split('/').at(-1) ?? '', entity)
      const drawn = y === undefined ? null : curve(undefined, y, ['index', label])
      return { ...common, kind: 'dataset', about: aboutDataset(entity), value: valueOf(entity), curve: drawn }
    }
    const keys = entity.keys()
    const entries = keys.slice(0, MOST_ENTRIES).map((name) => entryOf(entity, name))
    const about = attribute(entity, 'NX_class')
    return { ...common, kind: 'group', about, entries, more: keys.length - entries.length, curve: curveOfLog(entity) }
  } catch (error) {
    return { ...common, kind: isDataset(entity) ? 'dataset' : 'group', about: '', error: (error as Error).message }
  }
}
