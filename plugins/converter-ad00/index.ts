// Converter of ad00: one area detector frame.
import { API, defineConverter, definePlugin } from '../../core/api/plugin.js'
import { frameCodec } from '../../schemas/frames.js'

const part = defineConverter({
  id: 'ad00',
  summary: 'One area detector frame with its attributes.',
  config: { type: 'object', additionalProperties: false, properties: {} },
  open: () => frameCodec('ad00')
})

export default definePlugin({
  name: 'converter-ad00',
  version: '1.0.0',
  api: API,
  summary: 'Converts area detector frames to and from ad00.',
  apply(registry) {
    registry.converter(part)
  }
})
