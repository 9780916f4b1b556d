// Plugin source-instrument: virtual instruments that stand for real ones in demos, tests and benches.
import { API, definePlugin } from '../../core/api/plugin.js'
import { isis } from './isis.js'
import { muons } from './muons.js'
import { amor } from './source.js'

export default definePlugin({
  name: 'source-instrument',
  version: '0.2.0',
  api: API,
  summary: 'Virtual instruments: an AMOR-like reflectometer, a powder diffractometer of ISIS, a muon instrument.',
  apply(registry) {
    registry.source(amor)
    registry.source(isis)
    registry.source(muons)
  }
})
