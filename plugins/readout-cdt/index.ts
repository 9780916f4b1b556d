// Plugin readout-cdt: detectors with cathodes and anodes of CDT: DREAM, MAGIC, HEIMDAL.
import { API, definePlugin } from '../../core/api/plugin.js'
import { defineReadout, type ReadoutPart } from '../service-event-formation/readout-kit.js'
import { cdtConfig, type CdtConfig } from './config.js'
import { cdtWriter } from './generate.js'
import { dreamParts, heimdalParts, magicParts } from './parts.js'
import { CdtReadout } from './readout.js'

const detectors = [
  ['dream', 'DREAM', 0x60, 'DREAM: end caps, mantle, high resolution and SANS.', dreamParts],
  ['magic', 'MAGIC', 0x64, 'MAGIC: mantle and polarisation analysis.', magicParts],
  ['heimdal', 'HEIMDAL', 0x68, 'HEIMDAL: mantle.', heimdalParts]
] as const

const readouts = detectors.map(([id, name, detectorType, summary, parts]): ReadoutPart =>
  defineReadout({
    id,
    summary,
    detectorType,
    config: cdtConfig(name),
    open: (config, setup) => new CdtReadout(config as CdtConfig, parts, id, setup),
    generate: (config) => cdtWriter(config as CdtConfig, parts)
  })
)

export default definePlugin({
  name: 'readout-cdt',
  version: '0.1.0',
  api: API,
  summary: 'Forms events of DREAM, MAGIC and HEIMDAL.',
  apply(registry) {
    for (const part of readouts) registry.readout(part)
  }
})
