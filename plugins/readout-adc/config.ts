// What is made of the samples of an ADC box; the keys are the options of the field's program.
import { type JSONSchema, type Options } from '../../core/api/plugin.js'

export const adcConfig = {
  type: 'object',
  additionalProperties: false,
  properties: {
    name: { type: 'string', minLength: 1, default: 'AdcDemonstrator', description: 'Source names begin with it.' },
    serialize_samples: { type: 'boolean', default: true, description: 'All samples are sent (senv).' },
    mean_of_samples: {
      type: 'integer',
      minimum: 1,
      maximum: 65_536,
      default: 1,
      description: 'So many samples become one value, their mean.'
    },
    time_stamp_loc: {
      enum: ['Start', 'Middle', 'End'],
      default: 'Middle',
      description: 'Where in the time of its samples the time of a value is.'
    },
    sample_timestamp: { type: 'boolean', default: false, description: 'Each value has its time.' },
    peak_detection: { type: 'boolean', default: false, description: 'The highest sample of a run is an event (ev42).' }
  }
} as const satisfies JSONSchema

export type AdcConfig = Options<typeof adcConfig>
