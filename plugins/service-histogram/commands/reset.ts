// `reset` of the histogram service: counts begin anew.
import { type CommandOf, defineCommand, type JSONSchema, type Reply } from '../../../core/api/plugin.js'

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    job_id: { type: 'string', minLength: 1, description: 'The job; all when left out.' }
  }
} as const satisfies JSONSchema

export type ResetHistogramsCommand = CommandOf<typeof schema>

/** What it needs of the service. */
export interface ResetsHistograms {
  resetJobs(command: ResetHistogramsCommand): Reply
}

export const reset = defineCommand({
  cmd: 'reset',
  summary: 'Sets the counts of a job, or of all, to 0; state and time of the last pulse stay.',
  schema,
  examples: [{ cmd: 'reset', service: 'histogram', job_id: 'live' }],
  run: (command, _origin, histograms: ResetsHistograms) => histograms.resetJobs(command)
})
