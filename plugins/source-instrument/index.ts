// Plugin source-instrument: a virtual reflectometer that stands for a real instrument in demos, tests and benches.
import { API, definePlugin } from '../../core/api/plugin.js'
import { amor } from './source.js'

export default definePlugin({
  name: 'source-instrument',
  version: '0.1.0',
  api: API,
  summary: 'Virtual AMOR-like reflectometer: neutron events at a chosen pulse and event rate.',
  apply(registry) {
    registry.source(amor)
  }
})
