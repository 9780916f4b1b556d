// Plugin service-aggregator: whole frames from what the boards of an instrument say, each for itself.
import { API, definePlugin, defineService } from '../../core/api/plugin.js'
import { metrics } from './metrics.js'
import { optionSchema } from './options.js'
import { Aggregator } from './service.js'

export default definePlugin({
  name: 'service-aggregator',
  version: '0.1.0',
  api: API,
  summary: 'Puts events and pulses of many boards together to whole frames, from topic to topic (ISIS).',
  apply(registry) {
    registry.service(
      defineService({
        id: 'aggregator',
        summary: 'Whole frames of events from what boards send (ISIS).',
        config: optionSchema,
        metrics,
        open: (options, context) => new Aggregator(options, context)
      })
    )
  }
})
