// `stop` of the file writer: ends a job now or at a time.
import { type CommandOf, defineCommand, type JSONSchema, type Reply } from '../../../core/api/plugin.js'

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    job_id: {
      type: 'string',
      minLength: 1,
      maxLength: 200,
      description: 'The job; may be left out when just one runs.'
    },
    stop_time: {
      anyOf: [{ type: 'integer', minimum: 0 }, { type: 'string' }],
      description: 'ms since 1970 or ISO 8601; data up to this time are written. Default: now.'
    },
    abort: {
      type: 'boolean',
      default: false,
      description: 'End at once with what has been read, without reading on to the present end of the topics.'
    },
    all: { const: true, description: 'Stop every job.' }
  }
} as const satisfies JSONSchema

export type StopJobCommand = CommandOf<typeof schema>

/** What it needs of the service. */
export interface StopsJobs {
  readonly running: { stop(command: StopJobCommand, heardMs: number): Promise<Reply> }
}

export const stop = defineCommand({
  cmd: 'stop',
  summary:
    'Sets the end of a job: now, or at `stop_time` (past or future). The file is complete when the event `writing_done` comes.',
  schema,
  examples: [
    { cmd: 'stop', service: 'filewriter', msg_id: 'stop-42', job_id: 'run-42' },
    { cmd: 'stop', service: 'filewriter', job_id: 'run-42', stop_time: '2026-11-21T12:30:00Z' },
    { cmd: 'stop', service: 'filewriter', all: true }
  ],
  run: (command, { timestampMs }, writer: StopsJobs) => writer.running.stop(command, timestampMs)
})
