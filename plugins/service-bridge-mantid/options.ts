// Options of the bridge: `[services.bridge_mantid]`.
import { type JSONSchema, type Options } from '../../core/api/plugin.js'

const topic = { type: 'string', pattern: '^[a-zA-Z0-9._-]{1,249}$' } as const
const sourced = (what: string) =>
  ({
    type: 'array',
    default: [],
    items: {
      type: 'object',
      additionalProperties: false,
      required: ['topic'],
      properties: {
        topic: { ...topic, description: `Topic of ${what}.` },
        sources: {
          type: 'array',
          items: { type: 'string', minLength: 1 },
          description: 'Only these sources; default all of the topic.'
        }
      }
    }
  }) as const

export const optionSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['instrument', 'runs'],
  properties: {
    instrument: {
      type: 'string',
      pattern: '^[a-zA-Z0-9_-]{1,100}$',
      description:
        'Name of the instrument in Mantid; the topics are INSTRUMENT_events, _monitors, _sampleEnv, _runInfo.'
    },
    prefix: {
      type: 'string',
      pattern: '^[a-zA-Z0-9._-]{1,200}$',
      description: 'What these topics begin with; default the instrument. They must not be those that are read.'
    },
    runs: { ...topic, description: 'Topic of pl72 and 6s4t.' },
    events: { ...sourced('ev42, ev43 or ev44 of detectors'), description: 'Events of detectors.' },
    monitors: { ...sourced('ev42, ev43 or ev44 of monitors'), description: 'Events of monitors.' },
    values: { ...sourced('f144 or f142'), description: 'Values of the sample environment.' },
    histograms: {
      ...sourced('hs00 or hs01'),
      description: 'Histograms of times of flight, alone or by pixel, with counts since the start; INSTRUMENT_eventSum.'
    },
    geometry: {
      type: 'string',
      minLength: 1,
      description:
        'File with the structure (JSON, 2018 grammar) that Mantid makes the geometry of; default the structure of the run, which it may not understand: it then takes its own definition of the instrument.'
    },
    shift_epoch: {
      type: 'boolean',
      default: true,
      description: 'Pulse times count from 1990, as Mantid reads them: events and logs then line up.'
    }
  }
} as const satisfies JSONSchema

export type BridgeOptions = Options<typeof optionSchema>

/** Topics that Mantid's listener looks for. */
export const outputsOf = ({ instrument, prefix = instrument, histograms }: BridgeOptions) => ({
  events: `${prefix}_events`,
  monitors: `${prefix}_monitors`,
  values: `${prefix}_sampleEnv`,
  runs: `${prefix}_runInfo`,
  // Only for who has histograms: Mantid does not look for it otherwise
  ...(histograms.length > 0 && { histograms: `${prefix}_eventSum` })
})
