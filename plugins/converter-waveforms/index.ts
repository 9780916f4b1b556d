// Converters of waveforms: se00 and senv.
import { API, definePlugin } from '../../core/api/plugin.js'
import { defineConverter } from '../../schemas/index.js'
import { sampleCodec, sampleConfig, type SampleId, sampleOptions } from './codec.js'

const part = (id: SampleId) =>
  defineConverter({
    id,
    summary: 'Samples of a waveform, with a time per sample or a constant step.',
    config: sampleConfig,
    open: (config) => sampleCodec(id, sampleOptions(config))
  })

export default definePlugin({
  name: 'converter-waveforms',
  version: '1.0.0',
  api: API,
  summary: 'Converts waveforms to and from se00 and senv.',
  apply(registry) {
    for (const id of ['se00', 'senv'] as const) registry.converter(part(id))
  }
})
