// `status` of the histogram service.
import { type CommandOf, defineCommand, type JSONSchema, type Reply } from '../../../core/api/plugin.js'

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    job_id: { type: 'string', minLength: 1, description: 'Running or ended job; all that run when left out.' }
  }
} as const satisfies JSONSchema

export type ShowHistogramsCommand = CommandOf<typeof schema>

/** What it needs of the service. */
export interface ShowsHistograms {
  showJobs(command: ShowHistogramsCommand): Reply
}

export const status = defineCommand({
  cmd: 'status',
  summary: 'Lists jobs with their histograms: state, counts, rate, and what was not counted by reason.',
  schema,
  examples: [{ cmd: 'status', service: 'histogram', job_id: 'live' }],
  run: (command, _origin, histograms: ShowsHistograms) => histograms.showJobs(command)
})
