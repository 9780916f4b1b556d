// `start` of the histogram service.
import { type CommandOf, defineCommand, type JSONSchema, type Origin, type Reply } from '../../../core/api/plugin.js'
import { histogramSchema, windowKeys } from '../histogram-schema.js'

const schema = {
  type: 'object',
  additionalProperties: false,
  required: ['histograms'],
  properties: {
    histograms: {
      type: 'array',
      items: histogramSchema,
      minItems: 1,
      maxItems: 1000,
      description: 'The histograms of the job.'
    },
    ...windowKeys
  }
} as const satisfies JSONSchema

export type StartHistogramsCommand = CommandOf<typeof schema>

/** What it needs of the service. */
export interface StartsHistograms {
  startJob(command: StartHistogramsCommand, origin: Origin): Promise<Reply>
}

export const start = defineCommand({
  cmd: 'start',
  summary: 'Starts a job: histograms of events, all of one topic with one read, sent to Kafka while they grow.',
  schema,
  examples: [
    {
      cmd: 'start',
      service: 'histogram',
      job_id: 'live',
      histograms: [
        {
          id: 'tof',
          kind: 'tof',
          data_topic: 'amor_events',
          topic: 'amor_histograms',
          tof_range: [0, 71428571],
          num_bins: 500
        },
        { id: 'image', kind: 'image', data_topic: 'amor_events', topic: 'amor_histograms', width: 128, height: 128 }
      ]
    }
  ],
  run: (command, origin, histograms: StartsHistograms) => histograms.startJob(command, origin)
})
