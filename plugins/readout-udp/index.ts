// Plugin readout-udp: messages that come as datagrams, and go to Kafka as they are.
import { API, definePlugin } from '../../core/api/plugin.js'
import { defineReadout } from '../service-event-formation/readout-kit.js'
import { udpConfig } from './config.js'
import { MessageReadout } from './messages.js'

const udp = defineReadout({
  id: 'udp',
  summary: 'Any FlatBuffers message (ev42, ev44, …) that comes as a datagram, as it is.',
  detectorType: null,
  largest: 65_507,
  config: udpConfig,
  open: (config, setup) => new MessageReadout(config, setup)
})

export default definePlugin({
  name: 'readout-udp',
  version: '0.1.0',
  api: API,
  summary: 'Takes FlatBuffers messages from UDP to Kafka, checked and counted.',
  apply(registry) {
    registry.readout(udp)
  }
})
