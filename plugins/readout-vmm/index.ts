// Plugin readout-vmm: multi-blade detectors read out by VMM3a: FREIA, ESTIA, AMOR.
import { API, definePlugin } from '../../core/api/plugin.js'
import { defineReadout, type ReadoutPart } from '../service-event-formation/readout-kit.js'
import { multiBladeConfig } from './config.js'
import { multiBladeWriter } from './generate.js'
import { MultiBlade } from './multi-blade.js'

const detectors = [
  ['freia', 0x48, 'FREIA: cassettes of 32 wires and 64 strips.'],
  ['tblmb', 0x49, 'AMOR, or the multi-blade detector of TBL.'],
  ['estia', 0x4c, 'ESTIA: two rows of 48 cassettes.']
] as const

const readouts = detectors.map(([id, detectorType, summary]): ReadoutPart =>
  defineReadout({
    id,
    summary,
    detectorType,
    config: multiBladeConfig,
    open: (config, setup) => new MultiBlade(config, setup),
    generate: (config) => multiBladeWriter(config)
  })
)

export default definePlugin({
  name: 'readout-vmm',
  version: '0.1.0',
  api: API,
  summary: 'Forms events of multi-blade detectors: FREIA, ESTIA, AMOR.',
  apply(registry) {
    for (const part of readouts) registry.readout(part)
  }
})
