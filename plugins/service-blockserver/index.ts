// Plugin service-blockserver: the bridge from the IBEX block server to the forwarder.
import { API, definePlugin } from '../../core/api/plugin.js'
import { blockserver } from './service.js'

export default definePlugin({
  name: 'service-blockserver',
  version: '0.1.0',
  api: API,
  summary: 'Tells the forwarder which blocks of an IBEX instrument to forward.',
  apply(registry) {
    registry.service(blockserver)
  }
})
