// Plugin readout-vmm: detectors read out by VMM3a: the multi-blade ones of FREIA, ESTIA, AMOR, the panels of NMX, the vessels of TREX.
import { API, definePlugin } from '../../core/api/plugin.js'
import { defineReadout, type ReadoutPart } from '../service-event-formation/readout-kit.js'
import { multiBladeConfig, nmxConfig, trexConfig } from './config.js'
import { multiBladeWriter, nmxWriter, trexWriter } from './generate.js'
import { MultiBlade } from './multi-blade.js'
import { NmxReadout } from './nmx.js'
import { TrexReadout } from './trex.js'

const detectors = [
  ['freia', 0x48, 'FREIA: cassettes of 32 wires and 64 strips.'],
  ['tblmb', 0x49, 'AMOR, or the multi-blade detector of TBL.'],
  ['estia', 0x4c, 'ESTIA: two rows of 48 cassettes.']
] as const

const multiBlades = detectors.map(([id, detectorType, summary]): ReadoutPart =>
  defineReadout({
    id,
    summary,
    detectorType,
    config: multiBladeConfig,
    open: (config, setup) => new MultiBlade(config, setup),
    generate: (config) => multiBladeWriter(config)
  })
)

const nmx = defineReadout({
  id: 'nmx',
  summary: 'NMX: panels with strips in x and y.',
  detectorType: 0x44,
  config: nmxConfig,
  open: (config, setup) => new NmxReadout(config, setup),
  generate: (config) => nmxWriter(config)
})

const trex = defineReadout({
  id: 'trex',
  summary: 'TREX: vessels of grids and wires.',
  detectorType: 0x40,
  config: trexConfig,
  open: (config, setup) => new TrexReadout(config, setup),
  generate: (config) => trexWriter(config)
})

export default definePlugin({
  name: 'readout-vmm',
  version: '0.1.0',
  api: API,
  summary: 'Forms events of detectors with VMM3a: FREIA, ESTIA, AMOR, NMX, TREX.',
  apply(registry) {
    for (const part of [...multiBlades, nmx, trex]) registry.readout(part)
  }
})
