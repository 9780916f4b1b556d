// Command: what can be asked.
import { type DaemonView, defineCommand } from '../core/api/plugin.js'

export default defineCommand({
  cmd: 'help',
  summary: 'Lists all commands with their JSON Schemas and examples, and the loaded plugins.',
  schema: { type: 'object', additionalProperties: false },
  examples: [{ cmd: 'help' }],
  run: (_command, _origin, daemon: DaemonView) => {
    const commands = daemon
      .commands()
      .map(({ cmd, service, summary, schema, examples }) => ({ cmd, service, summary, schema, examples }))
    const result = { commands, plugins: daemon.plugins() }
    return { response: 'ACK', status: 200, message: `${commands.length} commands`, result }
  }
})
