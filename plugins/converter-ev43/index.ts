// Converter of ev43: neutron events of several pulses, unsigned.
import { API, defineConverter, definePlugin } from '../../core/api/plugin.js'
import { eventCodec } from '../../schemas/events.js'

const part = defineConverter({
  id: 'ev43',
  summary: 'Neutron events of several pulses, unsigned.',
  config: { type: 'object', additionalProperties: false, properties: {} },
  open: () => eventCodec('ev43')
})

export default definePlugin({
  name: 'converter-ev43',
  version: '1.0.0',
  api: API,
  summary: 'Converts neutron events to and from ev43.',
  apply(registry) {
    registry.converter(part)
  }
})
