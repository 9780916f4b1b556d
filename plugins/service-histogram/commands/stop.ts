// `stop` of the histogram service: ends a job with all that is in its topics now.
import { type CommandOf, defineCommand, type JSONSchema, type Reply } from '../../../core/api/plugin.js'

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    job_id: { type: 'string', minLength: 1, description: 'The job; may be left out when just one runs.' },
    histogram: { type: 'string', description: 'Instead: the job that has a histogram of this id.' },
    all: { const: true, description: 'Every job.' },
    wait: {
      type: 'boolean',
      default: false,
      description: 'The answer comes when they have ended (status 200), after 4 s at the latest (201).'
    }
  }
} as const satisfies JSONSchema

export type StopHistogramsCommand = CommandOf<typeof schema>

/** What it needs of the service. */
export interface StopsHistograms {
  stopJobs(command: StopHistogramsCommand): Promise<Reply>
}

export const stop = defineCommand({
  cmd: 'stop',
  summary:
    'Ends a job: each partition is read to the end that it has now, the last message has state FINISHED, then comes `histogram_done`.',
  schema,
  examples: [
    { cmd: 'stop', service: 'histogram', job_id: 'live' },
    { cmd: 'stop', service: 'histogram', all: true }
  ],
  run: (command, _origin, histograms: StopsHistograms) => histograms.stopJobs(command)
})
