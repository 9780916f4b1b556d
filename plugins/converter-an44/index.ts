// Converter of an44: neutron events with a weight each (ANSTO).
import { API, defineConverter, definePlugin } from '../../core/api/plugin.js'
import { eventCodec } from '../../schemas/events.js'

const part = defineConverter({
  id: 'an44',
  summary: 'Neutron events with a weight each (ANSTO).',
  config: { type: 'object', additionalProperties: false, properties: {} },
  open: () => eventCodec('an44')
})

export default definePlugin({
  name: 'converter-an44',
  version: '1.0.0',
  api: API,
  summary: 'Converts neutron events to and from an44.',
  apply(registry) {
    registry.converter(part)
  }
})
