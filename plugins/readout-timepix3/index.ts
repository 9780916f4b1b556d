// Plugin readout-timepix3: cameras with Timepix3 chips, as that of ODIN.
import { API, definePlugin } from '../../core/api/plugin.js'
import { defineReadout } from '../service-event-formation/readout-kit.js'
import { timepix3Config } from './config.js'
import { timepix3Writer } from './generate.js'
import { Timepix3Readout } from './readout.js'

const timepix3 = defineReadout({
  id: 'timepix3',
  summary: 'Timepix3 cameras: hits in clusters, times by the event receiver.',
  detectorType: null,
  largest: 9000,
  config: timepix3Config,
  open: (config, setup) => new Timepix3Readout(config, setup),
  generate: (config) => timepix3Writer(config)
})

export default definePlugin({
  name: 'readout-timepix3',
  version: '0.1.0',
  api: API,
  summary: 'Forms events of Timepix3 cameras.',
  apply(registry) {
    registry.readout(timepix3)
  }
})
