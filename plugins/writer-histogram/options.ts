// Config keys of the histogram writers.
import { type JSONSchema, type Options } from '../../core/api/plugin.js'

const names = ['uint32', 'uint64', 'int32', 'int64', 'float', 'double', 'float32', 'float64', 'uint32_t', 'uint64_t'] as const // prettier-ignore

export const histogramConfig = {
  type: 'object',
  additionalProperties: false,
  properties: {
    data_type: { enum: names, description: 'Type of `histograms`; default double, without `shape` that of the first message.' }, // prettier-ignore
    edge_type: { enum: names, description: 'Type of the bin edges; default double.' },
    error_type: { enum: names, description: 'Type of `errors`; default double.' },
    shape: {
      type: 'array',
      minItems: 1,
      maxItems: 31,
      description: 'Dimensions of the histogram, slowest first; default: those of the first message.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['size'],
        properties: {
          size: { type: 'integer', minimum: 1, maximum: 33_554_432, description: 'Number of bins.' },
          label: { type: 'string', description: 'Name of the axis.' },
          unit: { type: 'string', description: 'Unit of the edges.' },
          edges: {
            type: 'array',
            items: { type: 'number' },
            description: 'Bin edges, one more than bins; default: those of the first message.'
          },
          dataset_name: {
            type: 'string',
            pattern: '^(?!\\.{1,2}$)[^/\\u0000]{1,255}$',
            description: 'Dataset of the edges; default the label.'
          }
        }
      }
    },
    chunk_size: { type: 'integer', minimum: 1, description: 'Bins per chunk of the datasets; default about 1 MiB.' },
    info_size: {
      type: 'integer',
      minimum: 1,
      maximum: 65_536,
      default: 1024,
      description: 'Bytes of the `info` text of a message; longer ones are cut at a character.'
    }
  }
} as const satisfies JSONSchema

export type HistogramConfig = Options<typeof histogramConfig>
export type Axis = NonNullable<HistogramConfig['shape']>[number]
