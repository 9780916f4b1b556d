// Options of the aggregator: `[services.aggregator]`.
import { type JSONSchema, type Options } from '../../core/api/plugin.js'

const topic = { type: 'string', pattern: '^[a-zA-Z0-9._-]{1,249}$' } as const

export const optionSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['input_topic', 'output_topic'],
  properties: {
    input_topic: { ...topic, description: 'Topic of what the boards say: ev44 and pu00 (at ISIS INST_rawEvents).' },
    output_topic: { ...topic, description: 'Topic of whole frames: pu00 and ev44 (at ISIS INST_events).' },
    source: {
      type: 'string',
      minLength: 1,
      default: 'aggregator',
      description: 'Source name in the messages of whole frames.'
    },
    tolerance_ns: {
      type: 'integer',
      minimum: 0,
      default: 10,
      description: 'Messages belong to one frame when their reference times are no further apart.'
    },
    wait_ms: {
      type: 'integer',
      minimum: 0,
      default: 500,
      description: 'A frame waits so long for more, from its first message on.'
    },
    max_waiting_frames: {
      type: 'integer',
      minimum: 1,
      maximum: 100_000,
      default: 200,
      description: 'Frames that may wait; with more the first goes at once.'
    },
    max_events: {
      type: 'integer',
      minimum: 1,
      maximum: 4_000_000,
      default: 100_000,
      description: 'Events in one message.'
    },
    veto_mask: {
      type: 'integer',
      minimum: 0,
      maximum: 4_294_967_295,
      default: 4_294_967_295,
      description: 'For the diagnostics: a frame is good when none of these bits is in its vetoes.'
    },
    runs: { ...topic, description: 'Topic of pl72: with each the diagnostics begin anew.' },
    isis_metrics: {
      type: 'boolean',
      default: false,
      description: "Metrics by the names of ISIS' own aggregator, too: aggregator_incoming_messages_processed …"
    },
    fetch_bytes: {
      type: 'integer',
      minimum: 65_536,
      maximum: 268_435_456,
      default: 8_388_608,
      description: 'Most bytes asked of Kafka at once.'
    }
  }
} as const satisfies JSONSchema

export type AggregatorOptions = Options<typeof optionSchema>
