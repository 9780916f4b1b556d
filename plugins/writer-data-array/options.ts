// Config keys of the data array writer.
import { type JSONSchema, type Options } from '../../core/api/plugin.js'
import { typeNames } from '../../schemas/cast.js'

const name = { type: 'string', pattern: '^(?!\\.{1,2}$)[^/\\u0000]{1,255}$', description: 'Name in the messages and in the file.' } as const // prettier-ignore
const number = { type: 'number' } as const
const scalar = { type: ['string', 'number', 'boolean'] } as const
const attribute = { anyOf: [scalar, { type: 'array', minItems: 1, items: { type: 'string' } }, { type: 'array', minItems: 1, items: number }] } as const // prettier-ignore

const array = {
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties: {
    name,
    unit: { type: 'string', description: 'Attribute `units`; default that of the first message.' },
    label: { type: 'string', description: 'Attribute `long_name`; default that of the first message.' },
    source: { type: 'string', description: 'Attribute `source`; default that of the first message.' },
    data_type: { type: 'string', enum: typeNames, description: 'Element type; default that of the first message.' },
    dtype: { type: 'string', enum: typeNames, description: 'The same as `data_type`.' },
    type: { type: 'string', enum: typeNames, description: 'The same as `data_type`.' },
    axes: { type: 'array', items: { type: 'string' }, description: 'Names of the dimensions, slowest first.' },
    shape: {
      type: 'array',
      maxItems: 31,
      items: { type: 'integer', minimum: 1, maximum: 4_294_967_295 },
      description: 'Elements per dimension in one message; default that of the first message.'
    },
    data: {
      description: 'Content of a constant: a list (of lists), or first, last and size of equal steps.',
      anyOf: [
        { type: 'array' },
        number,
        {
          type: 'object',
          additionalProperties: false,
          required: ['first', 'last', 'size'],
          properties: {
            first: number,
            last: number,
            size: { type: 'integer', minimum: 1, maximum: 10_000_000 }
          }
        }
      ]
    }
  }
} as const satisfies JSONSchema

const list = { type: 'array', maxItems: 256, items: { anyOf: [{ type: 'string', minLength: 1 }, array] } } as const
const size = { type: 'integer', minimum: 1 } as const

export const dataArrayConfig = {
  type: 'object',
  additionalProperties: false,
  properties: {
    variables: {
      ...list,
      description: 'Arrays that grow by one row per message; default: all of the first message that are not constants.'
    },
    constants: {
      ...list,
      description: 'Arrays that are written once, from here or from the first message; default, without `variables`: its coordinates.' // prettier-ignore
    },
    attributes: {
      type: 'array',
      description:
        'Attributes of the group; default signal: the first variable. The axes of a variable get `time` before those that are given here.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name'],
        properties: {
          name: { type: 'string', minLength: 1, description: 'Name of the attribute.' },
          value: { ...attribute, description: 'Its value.' },
          values: { ...attribute, description: 'The same as `value`.' },
          data: { ...attribute, description: 'The same as `value`.' },
          dtype: { type: 'string', description: 'Its type, when the value does not tell.' },
          data_type: { type: 'string', description: 'The same as `dtype`.' },
          description: { type: 'string', description: 'Not written.' },
          source: { type: 'string', description: 'Not written.' },
          type: { type: 'string', description: 'The same as `dtype`.' }
        }
      }
    },
    chunk_size: {
      anyOf: [size, { type: 'array', items: size, minItems: 1, maxItems: 32 }],
      description:
        'Elements per chunk, or (several numbers) the shape of a chunk, whose first number (messages) counts; default about 1 MiB.'
    },
    cue_interval: {
      type: 'integer',
      minimum: 1,
      description: 'A cue (index and time) after every so many messages; default: no cues.'
    }
  }
} as const satisfies JSONSchema

export type DataArrayConfig = Options<typeof dataArrayConfig>
type Entry = NonNullable<DataArrayConfig['variables']>[number]
/** One array as the structure says it. */
export type ArrayConfig = Exclude<Entry, string>

/** A plain name is an array of which only the name is known. */
export const arraysOf = (list: readonly Entry[] | undefined): ArrayConfig[] =>
  (list ?? []).map((entry) => (typeof entry === 'string' ? { name: entry } : entry))
