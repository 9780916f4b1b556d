// Converters of neutron events: ev42, ev43, ev44 and an44.
import { API, definePlugin } from '../../core/api/plugin.js'
import { defineConverter } from '../../schemas/index.js'
import { eventCodec, type EventId } from './codec.js'

const part = (id: EventId, summary: string) =>
  defineConverter({
    id,
    summary,
    config: { type: 'object', additionalProperties: false, properties: {} },
    open: () => eventCodec(id)
  })

export default definePlugin({
  name: 'converter-events',
  version: '1.0.0',
  api: API,
  summary: 'Converts neutron events to and from ev42, ev43, ev44 and an44.',
  apply(registry) {
    registry.converter(
      part('ev42', 'Neutron events of one pulse, with facility data of ISIS (is84) or ADC debugging (dtdb).')
    )
    registry.converter(part('ev43', 'Neutron events of several pulses, unsigned.'))
    registry.converter(part('ev44', 'Neutron events of one or several pulses.'))
    registry.converter(part('an44', 'Neutron events with a weight each (ANSTO).'))
  }
})
