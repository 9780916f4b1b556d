// The detector files of DREAM, MAGIC and HEIMDAL, as the field writes them.
import { type JSONSchema, type Options } from '../../core/api/plugin.js'
import { longestPulseKey } from '../service-event-formation/readout-kit.js'

const properties = {
  MaxPulseTimeDiffNS: longestPulseKey,
  Config: {
    type: 'array',
    minItems: 1,
    description: 'What is on each ring and front end node.',
    items: {
      type: 'object',
      required: ['Ring', 'FEN', 'Type'],
      properties: {
        Ring: { type: 'integer', minimum: 0, maximum: 11, description: 'Ring.' },
        FEN: { type: 'integer', minimum: 0, maximum: 11, description: 'Front end node.' },
        Type: {
          enum: ['FwEndCap', 'BwEndCap', 'DreamMantle', 'SANS', 'HR', 'FRDetector', 'PADetector', 'HeimdalMantle'],
          description: 'Part of the detector.'
        },
        Index: { type: 'integer', minimum: 0, maximum: 255, default: 0, description: 'Its place in the part.' },
        Index2: { type: 'integer', minimum: 0, maximum: 255, default: 0, description: 'The second place.' }
      }
    }
  }
} as const

export const cdtConfig = <const N extends string>(name: N) =>
  ({
    type: 'object',
    required: ['Detector', 'Config'],
    properties: { Detector: { enum: [name], description: 'The family.' }, ...properties }
  }) as const satisfies JSONSchema

export type CdtConfig = Options<ReturnType<typeof cdtConfig<'DREAM'>>>
export type CdtEntry = CdtConfig['Config'][number]
export type CdtType = CdtEntry['Type']
