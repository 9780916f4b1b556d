// `stop` of the simulator: ends one run or all; the answer holds the exact counts.
import { type JSONSchema } from '../core/api/plugin.js'

export const stopSimulator = {
  cmd: 'stop',
  service: 'simulator',
  summary:
    'Stops a run of the virtual instrument (or all) once Kafka has everything; the answer holds the exact counts.',
  schema: {
    type: 'object',
    properties: {
      job_id: { type: 'string', minLength: 1, description: 'The run to stop; all when missing.' }
    },
    additionalProperties: false
  } as const satisfies JSONSchema,
  examples: [{ cmd: 'stop', service: 'simulator', job_id: 'sim1' }]
}

export default stopSimulator
