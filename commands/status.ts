// Command: the state of the daemon.
import { type CommandDefinition } from '../core/plugin.js'

export default {
  cmd: 'status',
  summary: 'Answers with the state of the daemon, its services and jobs.',
  schema: { type: 'object' },
  examples: [{ cmd: 'status', msg_id: 'where-are-we' }],
  run: async (_command, daemon) =>
    Promise.resolve({ response: 'ACK', status: 200, message: 'status', result: daemon.snapshot() })
} satisfies CommandDefinition
