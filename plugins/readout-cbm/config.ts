// The detector file of beam monitors, as the field writes it.
import { type JSONSchema, type Options } from '../../core/api/plugin.js'
import { longestFlightKey, longestPulseKey } from '../service-event-formation/readout-kit.js'

const common = {
  MaxPulseTimeDiffNS: longestPulseKey,
  MaxTOFNS: longestFlightKey,
  MonitorRing: { type: 'integer', minimum: 0, maximum: 11, default: 11, description: 'The only ring that is read.' },
  MaxRing: { type: 'integer', minimum: 0, maximum: 11, default: 11, description: 'Highest ring.' },
  MaxFENId: { type: 'integer', minimum: 0, maximum: 23, description: 'Highest front end node.' }
} as const

const place = {
  FEN: { type: 'integer', minimum: 0, maximum: 23, description: 'Front end node.' },
  Channel: { type: 'integer', minimum: 0, maximum: 255, description: 'Channel of it.' },
  Source: { type: 'string', minLength: 1, description: 'Source name of its messages.' },
  PixelOffset: { type: 'integer', minimum: 0, default: 0, description: 'Added to each pixel; the pixel of EVENT_0D.' },
  Width: { type: 'integer', minimum: 1, maximum: 65_536, description: 'EVENT_2D: pixels of x.' },
  Height: { type: 'integer', minimum: 1, maximum: 65_536, description: 'EVENT_2D: pixels of y.' }
} as const

export const cbmConfig = {
  type: 'object',
  required: ['Detector', 'MaxFENId', 'Topology'],
  properties: {
    Detector: { enum: ['CBM'], description: 'The family.' },
    ...common,
    NormalizeIBMReadouts: { type: 'boolean', default: true, description: 'IBM: divide by the number of samples.' },
    Topology: {
      type: 'array',
      minItems: 1,
      description: 'The monitors; sent in this order.',
      items: {
        type: 'object',
        required: ['FEN', 'Channel', 'Type', 'Source', 'Schema'],
        properties: {
          ...place,
          Type: { enum: ['EVENT_0D', 'EVENT_2D', 'IBM'], description: 'What it reads out.' },
          Schema: { enum: ['ev44', 'da00'], description: 'Events, or a histogram over the time of flight.' },
          MaxTofBin: {
            type: 'integer',
            minimum: 1,
            maximum: 2_147_483_647,
            description: 'da00: end of the last bin, ns.'
          },
          BinCount: { type: 'integer', minimum: 1, maximum: 1_000_000, description: 'da00: number of bins.' },
          AggregatedFrames: { type: 'integer', minimum: 1, maximum: 10_000, default: 1, description: 'da00: pulses per message.' }, // prettier-ignore
          AggregationMode: { enum: [0, 1], default: 0, description: 'da00: 0 sum, 1 average.' }
        }
      }
    }
  }
} as const satisfies JSONSchema

export const beerConfig = {
  type: 'object',
  required: ['Detector', 'MaxFENId', 'Topology'],
  properties: {
    Detector: { enum: ['BEER'], description: 'The family.' },
    ...common,
    Topology: {
      type: 'array',
      minItems: 1,
      description: 'The areas; sent in this order.',
      items: { type: 'object', required: ['FEN', 'Channel', 'Source', 'Width', 'Height'], properties: place }
    }
  }
} as const satisfies JSONSchema

export type CbmConfig = Options<typeof cbmConfig>
export type Monitor = CbmConfig['Topology'][number]
