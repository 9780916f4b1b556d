// Command: settings of the daemon itself that can change while it runs.
import { type DaemonView, defineCommand } from '../core/api/plugin.js'

const config = defineCommand({
  cmd: 'config',
  summary:
    'Changes settings of the daemon itself until its next start: how much it logs. Without `service` a config is for the service that runs.',
  schema: {
    type: 'object',
    required: ['log_level'],
    properties: {
      log_level: { enum: ['error', 'warn', 'info', 'debug'], description: 'Least severe level that is logged.' }
    }
  },
  examples: [{ cmd: 'config', service: 'daemon', log_level: 'debug' }],
  run: ({ log_level: level }, _origin, daemon: DaemonView) => {
    daemon.logLevel(level)
    return { response: 'ACK', status: 200, message: `logs ${level} and what is more severe` }
  }
})

/** Named, since a config without a service is for the one that runs. */
export default { ...config, service: 'daemon' }
