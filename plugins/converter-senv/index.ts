// Converter of senv: the samples of one waveform.
import { API, defineConverter, definePlugin } from '../../core/api/plugin.js'
import { sampleCodec, sampleConfig, sampleOptions } from '../../schemas/samples.js'

const part = defineConverter({
  id: 'senv',
  summary: 'Samples of a waveform, with a time per sample or a constant step.',
  config: sampleConfig,
  open: (config) => sampleCodec('senv', sampleOptions(config))
})

export default definePlugin({
  name: 'converter-senv',
  version: '1.0.0',
  api: API,
  summary: 'Converts waveforms to and from senv.',
  apply(registry) {
    registry.converter(part)
  }
})
