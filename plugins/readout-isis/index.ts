// Plugin readout-isis: the boards of ISIS' detector electronics that send events and vetoes by UDP.
import { API, definePlugin } from '../../core/api/plugin.js'
import { defineReadout } from '../service-event-formation/readout-kit.js'
import { isisConfig } from './config.js'
import { NewIsisReadout } from './new-readout.js'
import { IsisReadout } from './readout.js'

const isis = defineReadout({
  id: 'isis',
  summary:
    'Boards of ISIS with the older or the newer header, by their wiring table: neutrons as ev44, vetoes, period and charge as pu00.',
  detectorType: null,
  largest: 9000,
  config: isisConfig,
  open: (config, setup) =>
    config.header === 'new' ? new NewIsisReadout(config, setup) : new IsisReadout(config, setup)
})

export default definePlugin({
  name: 'readout-isis',
  version: '0.1.0',
  api: API,
  summary: 'Forms ev44 and pu00 from what the boards of ISIS send by UDP.',
  apply(registry) {
    registry.readout(isis)
  }
})
