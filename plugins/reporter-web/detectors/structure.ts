// NXdetector groups of a nexus_structure: where their pixels are, and whose events they have.
import { type Description } from './description.js'
import { type DescriptionFile, type Keys, own } from './file.js'
import { gridOf, type NumberLists, numbersOf } from './nexus-grid.js'

/** Deeper ones nobody has, and a stack has its end. */
const MOST_DEPTH = 100

interface DetectorGroup {
  readonly path: string
  readonly name: string
  /** Datasets by name. */
  readonly datasets: ReadonlyMap<string, unknown>
  readonly streams: readonly { readonly topic: string; readonly source: string }[]
}

/** Of a structure, or of a start command with one. Throws CONFIG_INVALID. */
export function readStructure(file: DescriptionFile): Description[] {
  const content = file.objectOf(file.parsed(), '')
  const given = own(content, 'nexus_structure')
  const root = given === undefined ? content : file.objectOf(typeof given === 'string' ? inner(file, given) : given, '/nexus_structure') // prettier-ignore
  const groups = [...detectors(childrenOf(root), '', 0)].filter(({ datasets }) => datasets.has('detector_number'))
  if (groups.length === 0)
    throw file.wrong('/', 'has no NXdetector with a dataset detector_number: it says which pixels there are')
  const names = groups.map(({ name }) => name)
  return groups.map((group) => {
    const { name, path, streams } = group
    const topics = [...new Set(streams.map(({ topic }) => topic))]
    // A detector has one topic; should it have more, its pixels say which histogram is its own
    const [topic] = topics.length === 1 ? topics : [undefined]
    const isOnly = names.indexOf(name) === names.lastIndexOf(name)
    return {
      grid: { name: isOnly ? name : path, ...placesOf(file, group) },
      topic,
      sources: topic === undefined ? [] : [...new Set(streams.map(({ source }) => source))]
    }
  })
}

/** Of the file writer before 2019: JSON as text. */
function inner(file: DescriptionFile, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw file.wrong('/nexus_structure', `is no JSON (${(error as Error).message})`)
  }
}

function placesOf(file: DescriptionFile, { path, datasets }: DetectorGroup): Omit<Description['grid'], 'name'> {
  const read = (name: string): NumberLists | undefined =>
    datasets.has(name) ? numbersOf(datasets.get(name)) : undefined
  try {
    const pixels = read('detector_number')
    if (pixels === undefined) throw new Error('must be numbers, in lists of one length')
    return gridOf(pixels, [read('x_pixel_offset'), read('y_pixel_offset'), read('z_pixel_offset')])
  } catch (error) {
    throw file.wrong(`${path}/detector_number`, (error as Error).message)
  }
}

const isObject = (value: unknown): value is Keys => typeof value === 'object' && value !== null && !Array.isArray(value)
const childrenOf = (node: Keys): readonly Keys[] => {
  const children = own(node, 'children')
  return Array.isArray(children) ? children.filter(isObject) : []
}
const nameOf = (node: Keys): string => {
  const name = own(node, 'name')
  return typeof name === 'string' ? name.slice(0, 200) : ''
}

function* detectors(children: readonly Keys[], parent: string, depth: number): Generator<DetectorGroup> {
  if (depth > MOST_DEPTH) return
  for (const node of children) {
    if (own(node, 'children') === undefined) continue
    const path = `${parent}/${nameOf(node)}`
    if (classOf(node) !== 'NXdetector') {
      yield* detectors(childrenOf(node), path, depth + 1)
      continue
    }
    const name = nameOf(node)
    yield { path, name, datasets: datasetsOf(node), streams: [...streamsOf(node, 0)] }
  }
}

/** Attributes as a list or as an object, values in place or below `value` or `values`. */
function classOf(node: Keys): unknown {
  const attributes = own(node, 'attributes')
  const listed: unknown = Array.isArray(attributes)
    ? attributes.find((one) => isObject(one) && own(one, 'name') === 'NX_class')
    : isObject(attributes)
      ? own(attributes, 'NX_class')
      : undefined
  return isObject(listed) ? (own(listed, 'values') ?? own(listed, 'value')) : listed
}

/** Of both grammars: the value of each dataset. */
function datasetsOf(node: Keys): Map<string, unknown> {
  const found = new Map<string, unknown>()
  for (const child of childrenOf(node)) {
    const config = own(child, 'config')
    const dataset = own(child, 'module') === 'dataset' && isObject(config) ? config : own(child, 'type') === 'dataset' ? child : undefined // prettier-ignore
    if (dataset !== undefined) found.set(nameOf(dataset), own(dataset, 'values') ?? own(dataset, 'value'))
  }
  return found
}

/** Events in the group itself or in one below. */
function* streamsOf(node: Keys, depth: number): Generator<DetectorGroup['streams'][number]> {
  if (depth > MOST_DEPTH) return
  for (const child of childrenOf(node)) {
    const [stream, config] = [own(child, 'stream'), own(child, 'config')]
    const keys = isObject(stream) ? stream : isObject(config) ? config : undefined
    const module = isObject(stream) ? own(stream, 'writer_module') : own(child, 'module')
    const [topic, source] = keys === undefined ? [] : [own(keys, 'topic'), own(keys, 'source')]
    if (/^ev4[234]$/.test(String(module)) && typeof topic === 'string' && typeof source === 'string')
      yield { topic, source }
    yield* streamsOf(child, depth + 1)
  }
}
