// The detector files of multi-blade detectors read out by VMM3a, as the field writes them.
import { type JSONSchema, type Options } from '../../core/api/plugin.js'
import { longestPulseKey } from '../service-event-formation/readout-kit.js'

const gap = (standard: number, description: string) =>
  ({ type: 'integer', minimum: 0, maximum: 1_000_000, default: standard, description }) as const

export const multiBladeConfig = {
  type: 'object',
  required: ['Detector', 'InstrumentGeometry', 'Config'],
  properties: {
    Detector: { enum: ['Freia'], description: 'The family.' },
    InstrumentGeometry: { enum: ['Freia', 'AMOR', 'Estia'], description: 'How channels become pixels.' },
    MaxPulseTimeNS: longestPulseKey,
    MaxGapWire: gap(0, 'Wires of an event that may be without a hit.'),
    MaxGapStrip: gap(0, 'Strips of an event that may be without a hit.'),
    MaxClusteringTimeGap: gap(500, 'Longest time between hits of a plane that belong together, ns.'),
    MaxMatchingTimeGap: gap(500, 'Longest time between wires and strips that belong together, ns.'),
    SplitMultiEvents: { type: 'boolean', default: false, description: 'Wide events are taken for two.' },
    SplitMultiEventsCoefficientLow: { type: 'number', default: 0.8, description: 'Lowest charge of strips per wires.' },
    SplitMultiEventsCoefficientHigh: { type: 'number', default: 1.2, description: 'Highest charge of them.' },
    Config: {
      type: 'array',
      minItems: 1,
      description: 'The hybrids.',
      items: {
        type: 'object',
        required: ['Ring', 'FEN', 'Hybrid', 'HybridId', 'CassetteNumber', 'Thresholds'],
        properties: {
          Ring: { type: 'integer', minimum: 0, maximum: 10, description: 'Ring.' },
          FEN: { type: 'integer', minimum: 0, maximum: 13, description: 'Front end node.' },
          Hybrid: { type: 'integer', minimum: 0, maximum: 10, description: 'Its number.' },
          HybridId: { type: 'string', minLength: 32, maxLength: 32, description: 'What the calibration knows it by.' },
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
