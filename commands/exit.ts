// Command: a clean shutdown, as by SIGTERM.
import { type DaemonView, defineCommand } from '../core/api/plugin.js'

export default defineCommand({
  cmd: 'exit',
  summary:
    'Ends the daemon cleanly: files are finished, messages delivered. It must name the daemon by service_id, or say everyone.',
  schema: {
    type: 'object',
    properties: { everyone: { const: true, description: 'Every daemon that hears this ends.' } },
    anyOf: [{ required: ['service_id'] }, { required: ['everyone'] }]
  },
  examples: [
    { cmd: 'exit', service_id: 'nexstream:host:4711' },
    { cmd: 'exit', everyone: true }
  ],
  run: (_command, _origin, daemon: DaemonView) => {
    daemon.shutdown('command exit')
    return { response: 'ACK', status: 200, message: 'shutting down' }
  }
})
