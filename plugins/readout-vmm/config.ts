// The detector files of detectors read out by VMM3a, as the field writes them.
import { type JSONSchema, type Options } from '../../core/api/plugin.js'
import { longestPulseKey } from '../service-event-formation/readout-kit.js'

const gap = (standard: number, description: string) =>
  ({ type: 'integer', minimum: 0, maximum: 1_000_000, default: standard, description }) as const

/** Where a hybrid is. */
const place = {
  Ring: { type: 'integer', minimum: 0, maximum: 10, description: 'Ring.' },
  FEN: { type: 'integer', minimum: 0, maximum: 13, description: 'Front end node.' },
  Hybrid: { type: 'integer', minimum: 0, maximum: 10, description: 'Its number.' },
  HybridId: { type: 'string', minLength: 32, maxLength: 32, description: 'What the calibration knows it by.' }
} as const

const matching = {
  MaxClusteringTimeGap: gap(500, 'Longest time between hits of a plane that belong together, ns.'),
  MaxMatchingTimeGap: gap(500, 'Longest time between both planes that belong together, ns.'),
  SplitMultiEvents: { type: 'boolean', default: false, description: 'Wide events are taken for two.' },
  SplitMultiEventsCoefficientLow: { type: 'number', default: 0.8, description: 'Lowest charge of y per x.' },
  SplitMultiEventsCoefficientHigh: { type: 'number', default: 1.2, description: 'Highest charge of them.' }
} as const

export const multiBladeConfig = {
  type: 'object',
  required: ['Detector', 'InstrumentGeometry', 'Config'],
  properties: {
    Detector: { enum: ['Freia'], description: 'The family.' },
    InstrumentGeometry: { enum: ['Freia', 'AMOR', 'Estia'], description: 'How channels become pixels.' },
    MaxPulseTimeNS: longestPulseKey,
    MaxGapWire: gap(0, 'Wires of an event that may be without a hit.'),
    MaxGapStrip: gap(0, 'Strips of an event that may be without a hit.'),
    ...matching,
    Config: {
      type: 'array',
      minItems: 1,
      description: 'The hybrids.',
      items: {
        type: 'object',
        required: ['Ring', 'FEN', 'Hybrid', 'HybridId', 'CassetteNumber', 'Thresholds'],
        properties: {
          ...place,
          CassetteNumber: { type: 'integer', minimum: 0, maximum: 255, description: 'Cassette.' },
          Thresholds: {
            type: 'array',
            minItems: 2,
            maxItems: 2,
            description: 'Lowest charge of each of its two chips.',
            items: { type: 'array', minItems: 1, items: { type: 'integer', minimum: 0 } }
          }
        }
      }
    }
  }
} as const satisfies JSONSchema

export type MultiBladeConfig = Options<typeof multiBladeConfig>

const size = (standard: number, description: string) =>
  ({ type: 'integer', minimum: 1, maximum: 65_535, default: standard, description }) as const
const span = (standard: number, description: string) =>
  ({ type: 'integer', minimum: 0, maximum: 65_535, default: standard, description }) as const
const leastCharge = { type: 'integer', minimum: 0, maximum: 1023, description: 'Lowest charge of a hit.' } as const

export const nmxConfig = {
  type: 'object',
  required: ['Detector', 'Config'],
  properties: {
    Detector: { enum: ['NMX'], description: 'The family.' },
    MaxPulseTimeNS: longestPulseKey,
    SizeX: size(1280, 'Pixels of a row.'),
    SizeY: size(1280, 'Rows.'),
    NumPanels: { type: 'integer', minimum: 1, maximum: 64, default: 4, description: 'Panels.' },
    MaxSpanX: span(10, 'Most strips from the first to the last that is hit, in x.'),
    MaxSpanY: span(10, 'The same in y.'),
    MinSpanX: span(1, 'Fewest of them in x.'),
    MinSpanY: span(1, 'The same in y.'),
    DefaultMinADC: { ...leastCharge, default: 50 },
    ...matching,
    Config: {
      type: 'array',
      minItems: 1,
      description: 'The hybrids.',
      items: {
        type: 'object',
        required: ['Ring', 'FEN', 'Hybrid', 'HybridId', 'Plane', 'Offset', 'Panel'],
        properties: {
          ...place,
          Plane: { enum: [0, 1], description: '0: its strips tell x, 1: y.' },
          Offset: { type: 'integer', minimum: 0, maximum: 65_407, description: 'Its first strip.' },
          Panel: { type: 'integer', minimum: 0, maximum: 63, description: 'Panel.' },
          ReversedChannels: { type: 'boolean', default: false, description: 'Its strips count backwards.' }
        }
      }
    }
  }
} as const satisfies JSONSchema

export const trexConfig = {
  type: 'object',
  required: ['Detector', 'Vessel_Config', 'Config'],
  properties: {
    Detector: { enum: ['TREX'], description: 'The family.' },
    MaxPulseTimeNS: longestPulseKey,
    SizeX: size(384, 'Pixels of a row.'),
    SizeY: size(140, 'Rows.'),
    SizeZ: size(16, 'Layers.'),
    DefaultMinADC: { ...leastCharge, default: 50 },
    Vessel_Config: {
      type: 'object',
      minProperties: 1,
      description: 'The vessels by id.',
      additionalProperties: {
        type: 'object',
        properties: {
          NumGrids: size(140, 'Grids.'),
          Rotation: { type: 'boolean', default: false, description: 'It stands upside down.' },
          Short: { type: 'boolean', default: false, description: 'It has 51 grids, on one chip.' },
          XOffset: span(0, 'Its first row of wires.'),
          YOffset: span(0, 'Its first grid; of one upside down the last.'),
          MinADC: leastCharge
        }
      }
    },
    Config: {
      type: 'array',
      minItems: 1,
      description: 'The hybrids.',
      items: {
        type: 'object',
        required: ['Ring', 'FEN', 'Hybrid', 'HybridId', 'VesselId'],
        properties: { ...place, VesselId: { type: 'string', minLength: 1, description: 'Vessel.' } }
      }
    }
  }
} as const satisfies JSONSchema

export type NmxConfig = Options<typeof nmxConfig>
export type TrexConfig = Options<typeof trexConfig>
