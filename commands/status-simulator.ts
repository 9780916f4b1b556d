// `status` of the simulator: runs with their counts.
import { type JSONSchema } from '../core/api/plugin.js'

export const statusSimulator = {
  cmd: 'status',
  service: 'simulator',
  summary: 'Lists the runs of the virtual instrument with pulses, events and messages so far.',
  schema: {
    type: 'object',
    properties: {},
    additionalProperties: false
  } as const satisfies JSONSchema,
  examples: [{ cmd: 'status', service: 'simulator' }]
}

export default statusSimulator
