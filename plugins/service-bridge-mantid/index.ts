// Plugin service-bridge-mantid: topics of today in the words of Mantid's Kafka listener.
import { API, definePlugin, defineService } from '../../core/api/plugin.js'
import { optionSchema } from './options.js'
import { MantidBridge, metrics } from './service.js'

export default definePlugin({
  name: 'service-bridge-mantid',
  version: '0.1.0',
  api: API,
  summary: "Sends events, values and runs again in the words of Mantid's Kafka listener.",
  apply(registry) {
    registry.service(
      defineService({
        id: 'bridge_mantid',
        summary: "Topics for Mantid's Kafka listener.",
        config: optionSchema,
        metrics,
        open: (options, context) => new MantidBridge(options, context)
      })
    )
  }
})
