// Command: the state of the daemon.
import { type DaemonSnapshot, type DaemonView, defineCommand, type Snapshot } from '../core/api/plugin.js'

/** Without what is meant for monitoring and heartbeats: both would only repeat the rest. */
const plain = ({ metrics: _metrics, heartbeat: _heartbeat, ...rest }: Snapshot): Snapshot => rest

const shown = ({ services, ...rest }: DaemonSnapshot): DaemonSnapshot => ({
  ...rest,
  services: Object.fromEntries(Object.entries(services).map(([id, service]) => [id, plain(service)]))
})

export default defineCommand({
  cmd: 'status',
  summary: 'Answers with the state of the daemon, its services and jobs.',
  schema: { type: 'object', additionalProperties: false },
  examples: [{ cmd: 'status', msg_id: 'where-are-we' }],
  run: (_command, _origin, daemon: DaemonView) => ({
    response: 'ACK',
    status: 200,
    message: 'status',
    result: shown(daemon.snapshot())
  })
})
