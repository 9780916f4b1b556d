// `status` of the simulator: runs with their counts.
import { type JSONSchema } from '../core/plugin.js'

export const statusSimulator = {
  cmd: 'status',
  service: 'simulator',
  summary: 'Lists the runs of the virtual instrument with pulses, events and messages so far.',
  schema: {
    type: 'object',
    required: ['cmd', 'service'],
    properties: {
      cmd: { const: 'status', description: 'The command.' },
      service: { const: 'simulator', description: 'The service it is for.' },
      msg_id: { type: 'string', description: 'Repeated in the answer.' }
    },
    additionalProperties: false
  } as const satisfies JSONSchema,
  examples: [{ cmd: 'status', service: 'simulator' }]
}

export default statusSimulator
