// Converter of ADAr: one area detector frame.
import { API, defineConverter, definePlugin } from '../../core/api/plugin.js'
import { frameCodec } from '../../schemas/frames.js'

const part = defineConverter({
  id: 'ADAr',
  summary: 'One area detector frame with its attributes.',
  config: { type: 'object', additionalProperties: false, properties: {} },
  open: () => frameCodec('ADAr')
})

export default definePlugin({
  name: 'converter-ADAr',
  version: '1.0.0',
  api: API,
  summary: 'Converts area detector frames to and from ADAr.',
  apply(registry) {
    registry.converter(part)
  }
})
