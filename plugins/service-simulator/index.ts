// Plugin service-simulator: runs virtual instruments into Kafka.
import { API, definePlugin, defineService } from '../../core/api/plugin.js'
import { commands } from './commands/index.js'
import { Simulator } from './service.js'

export default definePlugin({
  name: 'service-simulator',
  version: '0.1.0',
  api: API,
  summary: 'Runs virtual instruments that send events to Kafka, with exact counts.',
  apply(registry) {
    registry.service(
      defineService({
        id: 'simulator',
        summary: 'Starts and stops runs of virtual instruments.',
        commands,
        config: { type: 'object', additionalProperties: false },
        open: (_options, context) => new Simulator(context)
      })
    )
  }
})
