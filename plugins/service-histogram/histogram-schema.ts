// What a command says of one histogram.
import { type JSONSchema, type Options } from '../../core/api/plugin.js'

/** Messages of events that can be counted. */
export const eventSchemas = ['ev42', 'ev43', 'ev44', 'an44', 'aev2', 'dev2'] as const
export const muonSchemas: ReadonlySet<string> = new Set(['aev2', 'dev2'])
/** Messages that are histograms already. */
export const arraySchemas = ['da00', 'hs00', 'hs01'] as const

const topic = { type: 'string', pattern: '^[a-zA-Z0-9._-]{1,249}$' } as const
const range = { type: 'array', items: { type: 'number' }, minItems: 2, maxItems: 2 } as const
const edges = { type: 'array', items: { type: 'number' }, minItems: 2, maxItems: 1_000_001 } as const
const bins = { type: 'integer', minimum: 1, maximum: 10_000_000 } as const
const size = { type: 'integer', minimum: 1, maximum: 65_536 } as const

const region = {
  type: 'object',
  additionalProperties: false,
  properties: {
    name: { type: 'string', description: 'Goes into da00 as the label of its spectrum.' },
    rectangle: {
      type: 'array',
      items: { type: 'integer' },
      minItems: 4,
      maxItems: 4,
      description: 'x, y, width and height in pixels.'
    },
    polygon: {
      type: 'array',
      items: range,
      minItems: 3,
      maxItems: 1000,
      description: 'Corners [x, y]; a pixel belongs to it when its centre (x + 0.5, y + 0.5) does.'
    }
  }
} as const

export const histogramSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['kind', 'data_topic', 'topic'],
  properties: {
    id: {
      type: 'string',
      maxLength: 1000,
      description: 'Comes back in every message, in `info` and as header `hist_id`.'
    },
    kind: {
      enum: ['tof', 'tof_pixel', 'image', 'rows', 'roi', 'spectra', 'copy'],
      description:
        'Times of flight; time × pixel; pixels as an image; rows of pixels; a spectrum for each region of an image, or for each pixel; the latest histogram of the source, passed on.'
    },
    data_topic: { ...topic, description: 'Topic of the events.' },
    source: { type: 'string', default: '', description: 'Only events of this source; empty: of all.' },
    schemas: {
      type: 'array',
      items: { enum: [...eventSchemas, ...arraySchemas] },
      minItems: 1,
      default: eventSchemas,
      description:
        'Messages that count; others on the topic are passed over. tof and image may count da00: each bin by its centre. copy takes da00, hs00 and hs01, all of them by default.'
    },
    topic: { ...topic, description: 'Where the histogram goes.' },
    format: { enum: ['hs00', 'hs01', 'da00'], default: 'hs01', description: 'Schema of its messages.' },
    data_type: {
      enum: ['int64', 'int32', 'float64'],
      default: 'int64',
      description:
        'Type of the counts (hs00: unsigned); int32 becomes int64 when a cell has more. Normalised and da00 ones: float64.'
    },
    tof_range: { ...range, description: 'Least and greatest time of flight in ns; the upper end counts.' },
    num_bins: {
      anyOf: [bins, { type: 'array', items: bins, minItems: 2, maxItems: 2 }],
      description: 'Equal bins of each axis, or [time, pixel].'
    },
    tof_window: {
      ...range,
      description:
        'image: only events of these times of flight, in ns (with fold_ns: of the folded ones); both ends count.'
    },
    tof_edges: { ...edges, description: 'Instead of tof_range and num_bins: rising edges in ns.' },
    det_range: { ...range, description: 'tof: only these pixels, both ends count. tof_pixel: ends of the pixel axis.' },
    pixel_edges: { ...edges, description: 'Instead of det_range for tof_pixel: rising edges.' },
    first_pixel: {
      type: 'integer',
      minimum: 0,
      default: 1,
      description: 'image, roi, spectra: id of the pixel x = y = 0.'
    },
    width: { ...size, description: 'image, roi, spectra: pixels along x, which run first; rows: pixels of a row.' },
    height: { ...size, description: 'image, roi: pixels along y; spectra: the same, default 1.' },
    order: {
      enum: ['yx', 'xy'],
      default: 'yx',
      description: 'image: which axis of the array comes first; rows: yx is [row, pixel].'
    },
    left_edges: {
      type: 'array',
      items: { type: 'integer', minimum: 0 },
      minItems: 1,
      maxItems: 65_536,
      description: 'rows: first pixel of each row.'
    },
    regions: { type: 'array', items: region, minItems: 1, maxItems: 256, description: 'roi: areas of the image.' },
    fold_ns: {
      type: 'integer',
      minimum: 1,
      maximum: 2_147_483_647,
      description: 'Times of flight are taken modulo this pulse period, in ns.'
    },
    max_cells: {
      type: 'integer',
      minimum: 1,
      maximum: 2 ** 26,
      default: 1_048_576,
      description: 'copy: larger ones are lost (`too_large`).'
    },
    show: {
      enum: ['cumulative', 'current', 'last'],
      default: 'cumulative',
      description: 'All since the start; since the message before; the last `last_s` seconds as they arrived.'
    },
    last_s: { type: 'number', exclusiveMinimum: 0, maximum: 86_400, description: 'show = last: seconds.' },
    monitor: {
      type: 'object',
      additionalProperties: false,
      required: ['topic'],
      properties: {
        topic: { ...topic, description: 'Topic of its events; may be the same.' },
        source: { type: 'string', default: '', description: 'Its source; empty: all of the topic.' }
      },
      description: 'Counts are divided by the events of this monitor in the same time.'
    },
    periods: {
      type: 'object',
      additionalProperties: false,
      required: ['count'],
      properties: {
        count: { type: 'integer', minimum: 1, maximum: 1000, description: 'Periods 0 to count - 1: the first axis.' },
        topic: { ...topic, description: 'Topic of the pu00 messages; default that of the events.' }
      },
      description: 'One histogram for each period, as pu00 (or ev42 of ISIS) says it of the pulse.'
    }
  }
} as const satisfies JSONSchema

export type HistogramCommand = Options<typeof histogramSchema>

/** Keys of `start` and `config` beside the histograms. */
export const windowKeys = {
  job_id: { type: 'string', minLength: 1, maxLength: 200, description: 'Name of the job; made up when missing.' },
  start_time: {
    type: 'integer',
    minimum: 0,
    description: 'ms since 1970, by the Kafka time of messages, also in the past; default: what comes from now on.'
  },
  stop_time: {
    type: 'integer',
    minimum: 0,
    description:
      'ms since 1970, inclusive; each partition is read to its own end. Without it the job runs until `stop`.'
  },
  interval_s: {
    type: 'number',
    minimum: 0,
    description: 'Count from now on for so many seconds; 0: no end. Not beside start_time and stop_time.'
  },
  sender: { type: 'string', maxLength: 200, default: 'nexstream', description: 'Source name of hs00 and hs01.' }
} as const
