// Command: what can be asked.
import { type CommandDefinition } from '../core/api/plugin.js'

export default {
  cmd: 'help',
  summary: 'Lists all commands with their JSON Schemas and examples, and the loaded plugins.',
  schema: { type: 'object' },
  examples: [{ cmd: 'help' }],
  run: async (_command, daemon) => {
    const commands = daemon
      .commands()
      .map(({ cmd, service, summary, schema, examples }) => ({ cmd, service, summary, schema, examples }))
    return Promise.resolve({
      response: 'ACK',
      status: 200,
      message: `${commands.length} commands`,
      result: { commands, plugins: daemon.plugins() }
    })
  }
} satisfies CommandDefinition
