// `config` of the file writer: changes a running job.
import { type CommandDefinition } from '../core/api/plugin.js'

export default {
  cmd: 'config',
  service: 'filewriter',
  summary: 'Changes a running job: gives it another stop time, or takes the stop time away.',
  schema: {
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
  },
  examples: [
    { cmd: 'config', service: 'filewriter', job_id: 'run-42', stop_time: '2026-11-21T13:00:00Z' },
    { cmd: 'config', service: 'filewriter', job_id: 'run-42', stop_time: null }
  ]
} satisfies CommandDefinition
