// `status` of the file writer: one job, or all that run.
import { type CommandOf, defineCommand, type JSONSchema, type Reply } from '../../../core/api/plugin.js'

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    job_id: { type: 'string', minLength: 1, maxLength: 200, description: 'The job.' }
  }
} as const satisfies JSONSchema

export type ShowJobsCommand = CommandOf<typeof schema>

/** What it needs of the service. */
export interface ShowsJobs {
  readonly running: { show(command: ShowJobsCommand): Reply }
}

export const status = defineCommand({
  cmd: 'status',
  summary: 'What a job has written so far and how far it is behind; without a job_id all jobs that run.',
  schema,
  examples: [
    { cmd: 'status', service: 'filewriter' },
    { cmd: 'status', service: 'filewriter', job_id: 'run-42' }
  ],
  run: (command, _origin, writer: ShowsJobs) => writer.running.show(command)
})
