// Plugin service-event-formation: UDP readouts of detector electronics to events on Kafka.
import { API, definePlugin, defineService, defineTool } from '../../core/api/plugin.js'
import { commands } from './commands/index.js'
import { aliasOptions } from './efu/alias-options.js'
import { errors } from './errors.js'
import { inspect } from './inspect.js'
import { metrics } from './metrics.js'
import { optionSchema } from './options.js'
import { EventFormation } from './service.js'

const generator = defineTool({
  id: 'generate-readouts',
  summary: 'send made-up packets of detector electronics, with a test image',
  common: ['config', 'json'],
  needsPlugins: 'always',
  arguments: [
    { name: 'family', summary: 'of which electronics, e.g. cbm' },
    { name: 'address', summary: 'where to, host:port' }
  ],
  options: [
    { flags: '--config-file <file>', summary: 'JSON file of the detector' },
    { flags: '--calibration-file <file>', summary: 'JSON file with its calibration' },
    { flags: '--pulses <n>', summary: 'pulses', standard: '140' },
    { flags: '--packets <n>', summary: 'packets of a pulse', standard: '10' },
    { flags: '--readouts <n>', summary: 'readouts of a packet', standard: '100' },
    { flags: '--rate <n>', summary: 'pulses per second; 0: as fast as it goes', standard: '14' },
    { flags: '--loss <share>', summary: 'share of packets that are left out, 0 to 1', standard: '0' },
    { flags: '--seed <n>', summary: 'the same seed makes the same readouts', standard: '1' }
  ],
  load: async () => (await import('./generate/tool.js')).default
})

const alias = defineTool({
  id: 'efu',
  summary: "event formation with the options of the field's Event Formation Unit, of one detector",
  common: [],
  needsPlugins: 'always',
  arguments: [
    { name: 'family', summary: 'its program, e.g. loki; default: what the detector file says', optional: true }
  ],
  options: aliasOptions,
  helpBelow:
    "\nPrints or runs a config that says the same; options that have no meaning here are named and passed over.\nOnce it works, keep what --print says as the config and start 'nexstream run FILE'.",
  load: async () => (await import('./efu/alias.js')).default
})

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
    registry.tool(generator)
    registry.tool(alias)
  }
})
