// The detector files of ³He tubes read out by CAEN electronics, as the field writes them.
import { type JSONSchema, type Options } from '../../core/api/plugin.js'
import { longestFlightKey, longestPulseKey } from '../service-event-formation/readout-kit.js'

const resolution = (standard: number) =>
  ({ type: 'integer', minimum: 24, maximum: 65_536, default: standard, description: 'Pixels along a tube.' }) as const
const common = { MaxPulseTimeNS: longestPulseKey, MaxTOFNS: longestFlightKey } as const
const highest = {
  MaxFEN: { type: 'integer', minimum: 0, maximum: 23, default: 0, description: 'Highest front end node.' },
  MaxGroup: { type: 'integer', minimum: 0, maximum: 255, default: 0, description: 'Highest group.' }
} as const
const ring = { type: 'integer', minimum: 0, maximum: 11, description: 'Ring.' } as const
const count = { type: 'integer', minimum: 0, maximum: 10_000 } as const
const detector = <const N extends string>(name: N) => ({ enum: [name], description: 'The family.' }) as const

export const lokiConfig = {
  type: 'object',
  required: ['Detector', 'Banks', 'Config'],
  properties: {
    Detector: detector('loki'),
    Resolution: resolution(512),
    ...common,
    GroupsZ: { type: 'integer', minimum: 1, maximum: 64, default: 4, description: 'Layers of tubes.' },
    Banks: {
      type: 'array',
      minItems: 1,
      description: 'The banks of tubes.',
      items: {
        type: 'object',
        required: ['Bank', 'GroupsN', 'YOffset'],
        properties: {
          Bank: { type: 'integer', minimum: 0, maximum: 8, description: 'Its number.' },
          GroupsN: { ...count, description: 'Groups of a layer.' },
          YOffset: { ...count, description: 'Straws of the banks before.' }
        }
      }
    },
    Config: {
      type: 'array',
      minItems: 1,
      description: 'What is on each ring.',
      items: {
        type: 'object',
        required: ['Ring', 'Bank', 'FENs', 'FENOffset'],
        properties: {
          Ring: ring,
          Bank: { type: 'integer', minimum: 0, maximum: 8, description: 'The bank.' },
          FENs: { ...count, description: 'Front end nodes.' },
          FENOffset: { ...count, description: 'Those of the bank on rings before.' }
        }
      }
    }
  }
} as const satisfies JSONSchema

export const bifrostConfig = {
  type: 'object',
  required: ['Detector'],
  properties: {
    Detector: detector('bifrost'),
    Resolution: resolution(300),
    ...common,
    ...highest,
    MaxAmpl: { type: 'integer', minimum: 0, default: 32_767, description: 'Highest sum of both amplitudes.' }
  }
} as const satisfies JSONSchema

export const tbl3heConfig = {
  type: 'object',
  required: ['Detector', 'Topology'],
  properties: {
    Detector: detector('tbl3he'),
    Resolution: resolution(100),
    ...common,
    MaxGroup: highest.MaxGroup,
    NumOfFENs: { type: 'integer', minimum: 1, maximum: 24, default: 1, description: 'Front end nodes.' },
    MinValidAmplitude: { type: 'integer', minimum: -32_768, default: 0, description: 'Lowest amplitude.' },
    Topology: {
      type: 'array',
      minItems: 1,
      description: 'Which bank is where.',
      items: {
        type: 'object',
        required: ['Ring', 'FEN', 'Bank'],
        properties: {
          Ring: ring,
          FEN: { type: 'integer', minimum: 0, maximum: 23, description: 'Front end node.' },
          Bank: { type: 'integer', minimum: 0, maximum: 1, description: 'The bank.' }
        }
      }
    }
  }
} as const satisfies JSONSchema

export const miraclesConfig = {
  type: 'object',
  required: ['Detector'],
  properties: { Detector: detector('miracles'), Resolution: resolution(128), ...common }
} as const satisfies JSONSchema

export const cspecConfig = {
  type: 'object',
  required: ['Detector'],
  properties: { Detector: detector('cspec'), Resolution: resolution(300), ...common, ...highest }
} as const satisfies JSONSchema

export type LokiConfig = Options<typeof lokiConfig>
export type BifrostConfig = Options<typeof bifrostConfig>
export type Tbl3heConfig = Options<typeof tbl3heConfig>
export type MiraclesConfig = Options<typeof miraclesConfig>
export type CspecConfig = Options<typeof cspecConfig>
