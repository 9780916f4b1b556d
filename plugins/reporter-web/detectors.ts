// Detector descriptions: what daqlite's config files say of the pixels of a detector. Read once, at start, from the local config only.
import { readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { CodedError } from '../../core/api/plugin.js'
import { type WebOptions } from './options.js'
import { type Grid } from './wire.js'

/** A grid, and the histograms that it belongs to. */
export interface DetectorGrid {
  readonly grid: Grid
  /** Of the events. */
  readonly topic: string
  /** Of the events; empty: any. */
  readonly sources: readonly string[]
  /** Id or source of the one histogram that it belongs to, whatever its topics are. */
  readonly histogram: string | undefined
}

/** Such files have about one kilobyte. */
const MOST_BYTES = 262_144
/** Along one axis, and of the whole grid: 4096² twice over. */
const MOST_SIDE = 65_536
const MOST_PIXELS = 33_554_432
const MOST_OFFSET = 2_147_483_647
const MOST_TEXT = 200

type Keys = Readonly<Record<string, unknown>>

/** Throws CONFIG_INVALID, which names the option, the file and the key in it. */
export function detectorsOf(options: WebOptions['detectors']): DetectorGrid[] {
  return options.map(({ daqlite: file, histogram }, id) => new DaqliteFile(file, id).detector(histogram))
}

class DaqliteFile {
  readonly #content: Keys

  constructor(
    readonly file: string,
    readonly id: number
  ) {
    this.#content = this.#objectOf(this.#parsed(), '')
  }

  detector(histogram: string | undefined): DetectorGrid {
    const kafka = this.#group(this.#content, '', 'kafka')
    const geometry = this.#group(this.#content, '', 'geometry')
    const side = (key: string): number => this.#whole(geometry, key, [1, MOST_SIDE])
    const size = [side('xdim'), side('ydim'), side('zdim')] as const
    if (size[0] * size[1] * size[2] > MOST_PIXELS)
      throw this.#wrong('/geometry', `has ${size.join(' × ')} pixels; the page shows up to ${MOST_PIXELS}`)
    const offset = Object.hasOwn(geometry, 'offset') ? this.#whole(geometry, 'offset', [0, MOST_OFFSET]) : 0
    const topic = this.#text(kafka, '/kafka', 'topic')
    if (topic === undefined) throw this.#wrong('/kafka/topic', 'is missing: name the topic of the events')
    const plots = this.#plots()
    const shown = plots.find(({ type }) => type?.startsWith('pixels')) ?? plots[0]
    const name = shown?.title ?? basename(this.file).replace(/\.json$/i, '')
    const sources = [this.#text(kafka, '/kafka', 'source'), ...plots.map(({ source }) => source)]
    return {
      grid: { id: this.id, name, size, offset },
      topic,
      sources: [...new Set(sources.filter((source) => source !== undefined))],
      histogram
    }
  }

  /** The one of `plot` and those of `plots`; their titles and sources. */
  #plots(): { type: string | undefined; title: string | undefined; source: string | undefined }[] {
    const single = Object.hasOwn(this.#content, 'plot') ? [['/plot', this.#content['plot']] as const] : []
    const several = Object.hasOwn(this.#content, 'plots') ? this.#group(this.#content, '', 'plots') : {}
    const listed = Object.entries(several).map(([key, plot]) => [`/plots/${key.slice(0, MOST_TEXT)}`, plot] as const)
    return [...single, ...listed].map(([at, plot]) => {
      const keys = this.#objectOf(plot, at)
      const text = (key: string): string | undefined => this.#text(keys, at, key)
      return { type: text('plot_type'), title: text('window_title') ?? text('plot_title'), source: text('source') }
    })
  }

  #parsed(): unknown {
    const text = this.#read()
    try {
      return JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text)
    } catch (cause) {
      throw this.#refusal(`is no JSON (${(cause as Error).message}); name a config file of daqlite`, cause)
    }
  }

  /** Never waits: a pipe or a device is no file of daqlite. */
  #read(): string {
    try {
      const { size } = this.#ordinary()
      if (size > MOST_BYTES) throw new Error(`it has ${size} bytes, more than ${MOST_BYTES}`)
      return readFileSync(this.file, 'utf8')
    } catch (cause) {
      throw this.#refusal(`cannot be read: ${(cause as Error).message}; name a config file of daqlite`, cause)
    }
  }

  #ordinary(): { readonly size: number } {
    const stat = statSync(this.file)
    if (!stat.isFile()) throw new Error('it is no ordinary file')
    return stat
  }

  #objectOf(value: unknown, at: string): Keys {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.#wrong(at === '' ? '/' : at, 'must be a JSON object')
    return value as Keys
  }

  #group(keys: Keys, at: string, key: string): Keys {
    if (!Object.hasOwn(keys, key)) throw this.#wrong(`${at}/${key}`, 'is missing: a config file of daqlite has it')
    return this.#objectOf(keys[key], `${at}/${key}`)
  }

  #whole(keys: Keys, key: string, [least, most]: readonly [number, number]): number {
    const value = Object.hasOwn(keys, key) ? keys[key] : undefined
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
    const is = value === undefined ? 'it is missing' : `it is ${short(value)}`
    throw this.#wrong(`/geometry/${key}`, `must be a whole number from ${least} to ${most}; ${is}`)
  }

  /** Undefined: there is none, or an empty one. */
  #text(keys: Keys, at: string, key: string): string | undefined {
    const value = Object.hasOwn(keys, key) ? keys[key] : undefined
    if (value === undefined || value === '') return undefined
    if (typeof value === 'string' && value.length <= MOST_TEXT) return value
    throw this.#wrong(`${at}/${key}`, `must be a text of at most ${MOST_TEXT} characters; it is ${short(value)}`)
  }

  #wrong(key: string, text: string): CodedError {
    return this.#refusal(`is wrong: ${key} ${text}`)
  }

  #refusal(text: string, cause?: unknown): CodedError {
    return new CodedError('CONFIG_INVALID', `${this.file} ${text}`, {
      path: `/reporters/web/detectors/${this.id}/daqlite`,
      cause
    })
  }
}

function short(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}
