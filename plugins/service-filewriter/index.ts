// Plugin service-filewriter: NeXus files from Kafka topics.
import { API, definePlugin, defineService } from '../../core/api/plugin.js'
import { commands } from './commands/index.js'
import { optionSchema } from './options.js'
import { errors } from './errors.js'
import { inspect } from './inspect.js'
import { FileWriter } from './service.js'
import { metrics } from './snapshot.js'
import { nexusFile, structureFile, tools } from './tools/index.js'

export default definePlugin({
  name: 'service-filewriter',
  version: '1.0.0',
  api: API,
  errors,
  summary: 'Writes NeXus files from Kafka topics, several jobs at once, each in a thread of its own.',
  apply(registry) {
    for (const tool of tools) registry.tool(tool)
    registry.service(
      defineService({
        id: 'filewriter',
        summary: 'Writes NeXus files from Kafka topics.',
        config: optionSchema,
        metrics,
        commands,
        files: [structureFile, nexusFile],
        inspect,
        open: (options, context) => new FileWriter(options, context)
      })
    )
  }
})
