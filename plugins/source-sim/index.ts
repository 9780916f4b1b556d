// Plugin source-sim: simulated channels (protocol FAKE), for demos and for trying a configuration without a control system.
import { API, definePlugin } from '../../core/api/plugin.js'
import { sim } from './source.js'

export default definePlugin({
  name: 'source-sim',
  version: '0.1.0',
  api: API,
  summary: 'Simulated channels: sine, counter, random and step, with alarms.',
  apply(registry) {
    registry.source(sim)
  }
})
