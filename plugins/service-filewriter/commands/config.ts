// `config` of the file writer: changes a running job.
import { type CommandOf, defineCommand, type JSONSchema, type Reply } from '../../../core/api/plugin.js'

const schema = {
  type: 'object',
  additionalProperties: false,
  required: ['job_id', 'stop_time'],
  properties: {
    job_id: { type: 'string', minLength: 1, maxLength: 200, description: 'The job.' },
    stop_time: {
      anyOf: [{ type: 'integer', minimum: 0 }, { type: 'string' }, { type: 'null' }],
      description: 'New stop time, ms since 1970 or ISO 8601; null: runs until `stop`.'
    }
  }
} as const satisfies JSONSchema

export type ConfigureJobsCommand = CommandOf<typeof schema>

/** What it needs of the service. */
export interface ConfiguresJobs {
  readonly running: { configure(command: ConfigureJobsCommand, heardMs: number): Promise<Reply> }
}

export const config = defineCommand({
  cmd: 'config',
  summary: 'Changes a running job: gives it another stop time, or takes the stop time away.',
  schema,
  examples: [
    { cmd: 'config', service: 'filewriter', job_id: 'run-42', stop_time: '2026-11-21T13:00:00Z' },
    { cmd: 'config', service: 'filewriter', job_id: 'run-42', stop_time: null }
  ],
  run: (command, { timestampMs }, writer: ConfiguresJobs) => writer.running.configure(command, timestampMs)
})
