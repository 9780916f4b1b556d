// Converter of hs01: a histogram or a part of one.
import { API, defineConverter, definePlugin } from '../../core/api/plugin.js'
import { histogramCodec } from '../../schemas/histograms.js'

const part = defineConverter({
  id: 'hs01',
  summary: 'A histogram, or a rectangular part of a bigger one.',
  config: { type: 'object', additionalProperties: false, properties: {} },
  open: () => histogramCodec('hs01')
})

export default definePlugin({
  name: 'converter-hs01',
  version: '1.0.0',
  api: API,
  summary: 'Converts histograms to and from hs01.',
  apply(registry) {
    registry.converter(part)
  }
})
