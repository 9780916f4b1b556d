// Plugin service-adara: what happens now, live to Mantid and other tools that speak the protocol of SNS.
import { API, definePlugin, defineService } from '../../core/api/plugin.js'
import { commands } from './commands/index.js'
import { metrics } from './metrics.js'
import { optionSchema } from './options.js'
import { AdaraService } from './service.js'

export default definePlugin({
  name: 'service-adara',
  version: '0.1.0',
  api: API,
  summary: 'Serves events, values and runs live to Mantid, in the protocol of SNS (ADARA).',
  apply(registry) {
    registry.service(
      defineService({
        id: 'adara',
        summary: 'The live stream of an instrument for Mantid (ADARA).',
        config: optionSchema,
        metrics,
        commands,
        open: (options, context) => new AdaraService(options, context)
      })
    )
  }
})
