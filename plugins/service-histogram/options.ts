// Options of the histogram service: `[services.histogram]`.
import { type JSONSchema, type Options } from '../../core/api/plugin.js'

export const optionSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    memory_bytes: {
      type: 'integer',
      minimum: 1_048_576,
      default: 536_870_912,
      description: 'Most memory of all histograms together; what would need more is refused with the number.'
    },
    update_ms: {
      type: 'integer',
      minimum: 20,
      default: 500,
      description:
        'A histogram that has changed is sent so often at most, on whole multiples of this time, or as soon as the one before is in Kafka.'
    },
    keep_alive_ms: {
      type: 'integer',
      minimum: 0,
      default: 2000,
      description: 'One that has not changed is sent again after this; 0 never. Those above keep_alive_bytes are not.'
    },
    keep_alive_bytes: {
      type: 'integer',
      minimum: 0,
      default: 1_048_576,
      description: 'Larger histograms are sent when they have changed, and not otherwise.'
    },
    late_data_ms: {
      type: 'integer',
      minimum: 0,
      default: 5000,
      description: 'A partition without a later message is read to the end that it has so long after the stop time.'
    },
    disorder_ms: {
      type: 'integer',
      minimum: 0,
      default: 200,
      description:
        'Messages of a partition may be out of order by so much of their Kafka time: it ends with the first that is later than the stop time by more.'
    },
    fetch_bytes: {
      type: 'integer',
      minimum: 65_536,
      maximum: 268_435_456,
      default: 8_388_608,
      description: 'Most bytes asked of Kafka at once, per connection.'
    },
    simulate: {
      type: 'boolean',
      default: false,
      description:
        'Made-up events instead of those in Kafka, ten times a second: for tests of clients and for training.'
    }
  }
} as const satisfies JSONSchema

export type HistogramOptions = Options<typeof optionSchema>
