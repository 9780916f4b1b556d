// Plugin readout-caen: ³He tubes with charge division, read out by CAEN electronics.
import { API, definePlugin } from '../../core/api/plugin.js'
import { defineReadout, type ReadoutPart } from '../service-event-formation/readout-kit.js'
import { BifrostGeometry } from './bifrost.js'
import { bifrostConfig, cspecConfig, lokiConfig, miraclesConfig, tbl3heConfig } from './config.js'
import { bifrostWriter, cspecWriter, lokiWriter, miraclesWriter, tbl3heWriter } from './generate.js'
import { LokiGeometry } from './loki.js'
import { CspecGeometry, MiraclesGeometry } from './pairs.js'
import { CaenReadout } from './readout.js'
import { Tbl3heGeometry } from './tbl3he.js'

const readouts: readonly ReadoutPart[] = [
  defineReadout({
    id: 'loki',
    summary: 'LOKI: straws in tubes of seven.',
    detectorType: 0x30,
    config: lokiConfig,
    open: (config, setup) => new CaenReadout(new LokiGeometry(config, setup), setup, config),
    generate: lokiWriter
  }),
  defineReadout({
    id: 'bifrost',
    summary: 'BIFROST: triplets of tubes, a source for each.',
    detectorType: 0x34,
    config: bifrostConfig,
    open: (config, setup) => new CaenReadout(new BifrostGeometry(config, setup), setup, config),
    generate: bifrostWriter
  }),
  defineReadout({
    id: 'tbl3he',
    summary: 'TBL: two banks of four tubes.',
    detectorType: 0x32,
    config: tbl3heConfig,
    open: (config, setup) => new CaenReadout(new Tbl3heGeometry(config, setup), setup, config),
    generate: tbl3heWriter
  }),
  defineReadout({
    id: 'miracles',
    summary: 'MIRACLES: pairs of tubes.',
    detectorType: 0x38,
    config: miraclesConfig,
    open: (config, setup) => new CaenReadout(new MiraclesGeometry(config, setup), setup, config),
    generate: (config) => miraclesWriter(config)
  }),
  defineReadout({
    id: 'cspec',
    summary: 'CSPEC: tubes, with the stand-in geometry of the field.',
    detectorType: 0x3c,
    config: cspecConfig,
    open: (config, setup) => new CaenReadout(new CspecGeometry(config, setup), setup, config),
    generate: (config) => cspecWriter(config)
  })
]

export default definePlugin({
  name: 'readout-caen',
  version: '0.1.0',
  api: API,
  summary: 'Forms events of ³He tubes: LOKI, BIFROST, TBL, MIRACLES, CSPEC.',
  apply(registry) {
    for (const part of readouts) registry.readout(part)
  }
})
