// Plugin service-histogram: live histograms of events, from Kafka to Kafka.
import { API, definePlugin, defineService } from '../../core/api/plugin.js'
import { commands } from './commands/index.js'
import { justBinIt, justBinItSinq } from './just-bin-it.js'
import { errors } from './errors.js'
import { inspect } from './inspect.js'
import { metrics } from './metrics.js'
import { optionSchema } from './options.js'
import { HistogramService } from './service.js'

export default definePlugin({
  name: 'service-histogram',
  version: '0.1.0',
  api: API,
  errors,
  summary: 'Counts events into live histograms: spectra, images, regions; speaks the commands of just-bin-it.',
  apply(registry) {
    registry.dialect(justBinIt)
    registry.dialect(justBinItSinq)
    registry.service(
      defineService({
        id: 'histogram',
        summary: 'Live histograms of events, from Kafka to Kafka.',
        config: optionSchema,
        metrics,
        commands,
        inspect,
        open: (options, context) => new HistogramService(options, context)
      })
    )
  }
})
