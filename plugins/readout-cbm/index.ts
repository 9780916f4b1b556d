// Plugin readout-cbm: beam monitors, and BEER, whose detector is read out in the same way.
import { API, definePlugin } from '../../core/api/plugin.js'
import { defineReadout } from '../service-event-formation/readout-kit.js'
import { beerConfig, cbmConfig, type CbmConfig } from './config.js'
import { cbmWriter } from './generate.js'
import { CbmReadout } from './readout.js'

const cbm = defineReadout({
  id: 'cbm',
  summary: 'Beam monitors: events, areas, and integrating ones as events or histograms.',
  detectorType: 0x10,
  config: cbmConfig,
  open: (config, setup) => new CbmReadout(config, setup, false),
  generate: (config) => cbmWriter(config)
})

const beer = defineReadout({
  id: 'beer',
  summary: 'BEER: areas, read out as beam monitors are.',
  detectorType: 0x50,
  config: beerConfig,
  open: (config, setup) => new CbmReadout(asMonitors(config), setup, true),
  generate: (config) => cbmWriter(asMonitors(config))
})

const asMonitors = (
  config: Omit<CbmConfig, 'Detector' | 'Topology' | 'NormalizeIBMReadouts'> & { Topology: readonly object[] }
): CbmConfig =>
  // prettier-ignore
  ({
    ...config,
    Detector: 'CBM',
    NormalizeIBMReadouts: true,
    Topology: config.Topology.map((area) => ({ ...area, Type: 'EVENT_2D', Schema: 'ev44' }))
  }) as CbmConfig

export default definePlugin({
  name: 'readout-cbm',
  version: '0.1.0',
  api: API,
  summary: 'Forms events of beam monitors, and of BEER.',
  apply(registry) {
    registry.readout(cbm)
    registry.readout(beer)
  }
})
