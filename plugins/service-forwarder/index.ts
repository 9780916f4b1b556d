// Plugin service-forwarder: channels of control systems to Kafka.
import { API, definePlugin, defineService } from '../../core/api/plugin.js'
import { commands } from './commands/index.js'
import { metrics } from './metrics.js'
import { optionSchema } from './options.js'
import { Forwarder } from './service.js'
import { inspect } from './spec.js'

export default definePlugin({
  name: 'service-forwarder',
  version: '0.1.0',
  api: API,
  summary: 'Forwards channels (EPICS PVs, simulated ones) to Kafka topics, each by one or several converters.',
  apply(registry) {
    registry.service(
      defineService({
        id: 'forwarder',
        summary: 'Forwards channels of control systems to Kafka.',
        config: optionSchema,
        metrics,
        commands,
        inspect,
        open: (options, context) => new Forwarder(context, options)
      })
    )
  }
})
