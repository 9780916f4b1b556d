// `stop` of the simulator: ends one run or all; the answer holds the exact counts.
import { type CommandOf, defineCommand, type JSONSchema, type Reply } from '../../../core/api/plugin.js'

const schema = {
  type: 'object',
  properties: {
    job_id: { type: 'string', minLength: 1, description: 'The run to stop; all when missing.' }
  },
  additionalProperties: false
} as const satisfies JSONSchema

export type StopRunsCommand = CommandOf<typeof schema>

/** What it needs of the service. */
export interface StopsRuns {
  stopRuns(id: string | undefined): Promise<Reply>
}

export const stop = defineCommand({
  cmd: 'stop',
  summary:
    'Stops a run of the virtual instrument (or all) once Kafka has everything; the answer holds the exact counts.',
  schema,
  examples: [{ cmd: 'stop', service: 'simulator', job_id: 'sim1' }],
  run: ({ job_id: id }, _origin, simulator: StopsRuns) => simulator.stopRuns(id)
})
