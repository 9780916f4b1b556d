// Converter of ev44: neutron events of one or several pulses.
import { API, defineConverter, definePlugin } from '../../core/api/plugin.js'
import { eventCodec } from '../../schemas/events.js'

const part = defineConverter({
  id: 'ev44',
  summary: 'Neutron events of one or several pulses.',
  config: { type: 'object', additionalProperties: false, properties: {} },
  open: () => eventCodec('ev44')
})

export default definePlugin({
  name: 'converter-ev44',
  version: '1.0.0',
  api: API,
  summary: 'Converts neutron events to and from ev44.',
  apply(registry) {
    registry.converter(part)
  }
})
