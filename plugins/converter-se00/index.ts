// Converter of se00: the samples of one waveform.
import { API, defineConverter, definePlugin } from '../../core/api/plugin.js'
import { sampleCodec, sampleConfig, sampleOptions } from '../../schemas/samples.js'

const part = defineConverter({
  id: 'se00',
  summary: 'Samples of a waveform, with a time per sample or a constant step.',
  config: sampleConfig,
  open: (config) => sampleCodec('se00', sampleOptions(config))
})

export default definePlugin({
  name: 'converter-se00',
  version: '1.0.0',
  api: API,
  summary: 'Converts waveforms to and from se00.',
  apply(registry) {
    registry.converter(part)
  }
})
