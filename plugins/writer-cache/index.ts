// Entries of the NICOS cache (ns10) as NXlog: numbers parsed from their text, or the text itself.
import { API, BadMessage, type Context, definePlugin, type JSONSchema, type Options } from '../../core/api/plugin.js'
import {
  Cues,
  timeAttributes,
  type Column,
  defineWriter,
  type Group,
  type Writer
} from '../service-filewriter/writer-kit.js'
import { type CacheRecord } from '../../schemas/index.js'

const config = {
  type: 'object',
  additionalProperties: false,
  properties: {
    dtype: { enum: ['double', 'float64', 'string'], default: 'double', description: 'What `value` holds: numbers, or the text of the entry.' }, // prettier-ignore
    string_size: {
      type: 'integer',
      minimum: 1,
      maximum: 65_536,
      default: 200,
      description: 'Bytes of a text (`dtype` string); longer texts are cut at a character.'
    },
    unit: { type: 'string', description: 'Attribute `units` of `value`.' },
    chunk_size: { type: 'integer', minimum: 1, default: 1024, description: 'Entries per chunk of the datasets.' },
    cue_interval: {
      type: 'integer',
      minimum: 1,
      default: 1000,
      description: 'A cue (index and time) after every so many entries.'
    }
  }
} as const satisfies JSONSchema

/** What Python reads as a float, and its truth values. */
const number = /^[+-]?(\d+(_\d+)*\.?(\d+(_\d+)*)?|\.\d+(_\d+)*)([eE][+-]?\d+)?$/
const words: Readonly<Record<string, number>> = {
  nan: NaN, inf: Infinity, '+inf': Infinity, '-inf': -Infinity, true: 1, false: 0
} // prettier-ignore

/** The number that a Python literal says. Throws BadMessage `not_a_number`. */
function parse(text: string): number {
  const trimmed = text.trim()
  if (number.test(trimmed)) return Number(trimmed.replaceAll('_', ''))
  const word = words[trimmed.toLowerCase()]
  if (word !== undefined) return word
  throw new BadMessage('not_a_number', `the entry ${JSON.stringify(text.slice(0, 40))} is no number`)
}

class CacheWriter implements Writer<CacheRecord> {
  readonly #value: Column
  readonly #time: Column
  readonly #cues: Cues
  readonly #text: boolean

  readonly #context: Context

  constructor(group: Group, options: Options<typeof config>, context: Context) {
    this.#context = context

    const { chunk_size: chunk, unit: units } = options
    this.#text = options.dtype === 'string'
    this.#value = group.column('value', {
      dtype: this.#text ? { string: options.string_size } : 'float64',
      chunk,
      attributes: units === undefined ? {} : { units }
    })
    this.#time = group.column('time', { dtype: 'uint64', chunk, index: true, attributes: timeAttributes })
    this.#cues = new Cues(group, options.cue_interval, chunk)
    if (this.#text) return
    group.attribute('signal', 'value')
    group.attribute('axes', ['time'])
  }

  write({ value, timestampNs, expired }: CacheRecord): void {
    if (this.#text) this.#value.appendString(value)
    else this.#value.appendNumber(parse(value))
    if (expired) this.#context.count('expired')
    this.#time.appendBigInt(timestampNs)
    this.#cues.row(this.#time.length - 1, timestampNs)
  }
}

const ns10 = defineWriter({
  id: 'ns10',
  summary: 'Entries of the NICOS cache as NXlog: the numbers in them, or their text.',
  accepts: ['ns10'],
  config,
  nxClass: 'NXlog',
  keepsLast: true,
  open: (group, config, context) => new CacheWriter(group, config, context)
})

export default definePlugin({
  name: 'writer-cache',
  version: '1.0.0',
  api: API,
  summary: 'Writes entries of the NICOS cache (ns10).',
  apply(registry) {
    registry.writer(ns10)
  }
})
