// Converter of ev42: neutron events of one pulse, with facility data of ISIS (is84) or ADC debugging (dtdb).
import { API, defineConverter, definePlugin } from '../../core/api/plugin.js'
import { eventCodec } from '../../schemas/events.js'

const part = defineConverter({
  id: 'ev42',
  summary: 'Neutron events of one pulse, with facility data of ISIS (is84) or ADC debugging (dtdb).',
  config: { type: 'object', additionalProperties: false, properties: {} },
  open: () => eventCodec('ev42')
})

export default definePlugin({
  name: 'converter-ev42',
  version: '1.0.0',
  api: API,
  summary: 'Converts neutron events to and from ev42.',
  apply(registry) {
    registry.converter(part)
  }
})
