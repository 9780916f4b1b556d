// Plugin service-event-formation: UDP readouts of detector electronics to events on Kafka.
import { API, definePlugin, defineService } from '../../core/api/plugin.js'
import { commands } from './commands/index.js'
import { errors } from './errors.js'
import { inspect } from './inspect.js'
import { metrics } from './metrics.js'
import { optionSchema } from './options.js'
import { EventFormation } from './service.js'

export default definePlugin({
  name: 'service-event-formation',
  version: '0.1.0',
  api: API,
  errors,
  summary: 'Forms events of the UDP readouts of detectors; families of electronics are plugins.',
  apply(registry) {
    registry.service(
      defineService({
        id: 'event_formation',
        summary: 'Receives the packets of detectors, and sends their events to Kafka.',
        config: optionSchema,
        metrics,
        commands,
        inspect,
        open: (options, context) => new EventFormation(options, context)
      })
    )
  }
})
