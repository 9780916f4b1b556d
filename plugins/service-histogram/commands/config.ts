// `config` of the histogram service.
import { type CommandOf, defineCommand, type JSONSchema, type Origin, type Reply } from '../../../core/api/plugin.js'
import { histogramSchema, windowKeys } from '../histogram-schema.js'

const schema = {
  type: 'object',
  additionalProperties: false,

  properties: {
    histograms: {
      type: 'array',
      items: histogramSchema,
      maxItems: 1000,
      default: [],
      description: 'All histograms from now on; none: everything ends.'
    },
    ...windowKeys
  }
} as const satisfies JSONSchema

export type ConfigureHistogramsCommand = CommandOf<typeof schema>

/** What it needs of the service. */
export interface ConfiguresHistograms {
  replaceJobs(command: ConfigureHistogramsCommand, origin: Origin): Promise<Reply>
}

export const config = defineCommand({
  cmd: 'config',
  summary: 'Ends every job, each with its last message, and starts one with the given histograms.',
  schema,
  examples: [
    {
      cmd: 'config',
      service: 'histogram',
      histograms: [
        {
          id: 'tof',
          kind: 'tof',
          data_topic: 'amor_events',
          topic: 'amor_histograms',
          tof_range: [0, 71428571],
          num_bins: 500
        }
      ],
      interval_s: 60
    }
  ],
  run: (command, origin, histograms: ConfiguresHistograms) => histograms.replaceJobs(command, origin)
})
