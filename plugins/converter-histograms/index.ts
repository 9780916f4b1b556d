// Converters of histograms: hs00 and hs01.
import { API, definePlugin } from '../../core/api/plugin.js'
import { defineConverter } from '../../schemas/index.js'
import { histogramCodec, type HistogramId } from './codec.js'

const part = (id: HistogramId) =>
  defineConverter({
    id,
    summary: 'A histogram, or a rectangular part of a bigger one.',
    config: { type: 'object', additionalProperties: false, properties: {} },
    open: () => histogramCodec(id)
  })

export default definePlugin({
  name: 'converter-histograms',
  version: '1.0.0',
  api: API,
  summary: 'Converts histograms to and from hs00 and hs01.',
  apply(registry) {
    for (const id of ['hs00', 'hs01'] as const) registry.converter(part(id))
  }
})
