// `status` of the file writer: one job, or all that run.
import { type CommandDefinition } from '../core/api/plugin.js'

export default {
  cmd: 'status',
  service: 'filewriter',
  summary: 'What a job has written so far and how far it is behind; without a job_id all jobs that run.',
  schema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      job_id: { type: 'string', minLength: 1, maxLength: 200, description: 'The job.' }
    }
  },
  examples: [
    { cmd: 'status', service: 'filewriter' },
    { cmd: 'status', service: 'filewriter', job_id: 'run-42' }
  ]
} satisfies CommandDefinition
