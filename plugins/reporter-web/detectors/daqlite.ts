// What daqlite's config files say of the pixels of a detector.
import { basename } from 'node:path'
import { type Description, MOST_PIXELS, MOST_SIDE } from './description.js'
import { type DescriptionFile, type Keys, own, short } from './file.js'

const MOST_OFFSET = 2_147_483_647
const MOST_KEY = 200

/** Throws CONFIG_INVALID. */
export function readDaqlite(file: DescriptionFile): Description {
  const content = file.objectOf(file.parsed(), '')
  const kafka = group(file, content, 'kafka')
  const geometry = group(file, content, 'geometry')
  const side = (key: string): number => whole(file, geometry, key, [1, MOST_SIDE])
  const size = [side('xdim'), side('ydim'), side('zdim')] as const
  if (size[0] * size[1] * size[2] > MOST_PIXELS)
    throw file.wrong('/geometry', `has ${size.join(' × ')} pixels; the page shows up to ${MOST_PIXELS}`)
  const offset = Object.hasOwn(geometry, 'offset') ? whole(file, geometry, 'offset', [0, MOST_OFFSET]) : 0
  const topic = file.text(kafka, '/kafka', 'topic')
  if (topic === undefined) throw file.wrong('/kafka/topic', 'is missing: name the topic of the events')
  const plots = plotsOf(file, content)
  const shown = plots.find(({ type }) => type?.startsWith('pixels')) ?? plots[0]
  const name = shown?.title ?? basename(file.file).replace(/\.json$/i, '')
  const sources = [file.text(kafka, '/kafka', 'source'), ...plots.map(({ source }) => source)]
  return {
    grid: { name, size, first: offset + 1, places: null },
    topic,
    sources: [...new Set(sources.filter((source) => source !== undefined))]
  }
}

interface DaqlitePlot {
  readonly type: string | undefined
  readonly title: string | undefined
  readonly source: string | undefined
}

/** The one of `plot` and those of `plots`. */
function plotsOf(file: DescriptionFile, content: Keys): DaqlitePlot[] {
  const single = Object.hasOwn(content, 'plot') ? [['/plot', content['plot']] as const] : []
  const several = Object.hasOwn(content, 'plots') ? group(file, content, 'plots') : {}
  const listed = Object.entries(several).map(([key, plot]) => [`/plots/${key.slice(0, MOST_KEY)}`, plot] as const)
  return [...single, ...listed].map(([at, plot]) => {
    const keys = file.objectOf(plot, at)
    const text = (key: string): string | undefined => file.text(keys, at, key)
    return { type: text('plot_type'), title: text('window_title') ?? text('plot_title'), source: text('source') }
  })
}

function group(file: DescriptionFile, keys: Keys, key: string): Keys {
  if (!Object.hasOwn(keys, key)) throw file.wrong(`/${key}`, 'is missing: a config file of daqlite has it')
  return file.objectOf(keys[key], `/${key}`)
}

function whole(file: DescriptionFile, keys: Keys, key: string, [least, most]: readonly [number, number]): number {
  const value = own(keys, key)
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  const is = value === undefined ? 'it is missing' : `it is ${short(value)}`
  throw file.wrong(`/geometry/${key}`, `must be a whole number from ${least} to ${most}; ${is}`)
}
