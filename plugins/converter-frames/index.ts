// Converters of area detector frames: NDAr, ADAr and ad00.
import { API, definePlugin } from '../../core/api/plugin.js'
import { defineConverter } from '../../schemas/index.js'
import { frameCodec, type FrameId } from './codec.js'

const part = (id: FrameId) =>
  defineConverter({
    id,
    summary: 'One area detector frame with its attributes.',
    config: { type: 'object', additionalProperties: false, properties: {} },
    open: () => frameCodec(id)
  })

export default definePlugin({
  name: 'converter-frames',
  version: '1.0.0',
  api: API,
  summary: 'Converts area detector frames to and from NDAr, ADAr and ad00.',
  apply(registry) {
    for (const id of ['NDAr', 'ADAr', 'ad00'] as const) registry.converter(part(id))
  }
})
