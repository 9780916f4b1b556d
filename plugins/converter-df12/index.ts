// Converter of df12: the detector-spectrum map of an instrument (ISIS).
import { API, defineConverter, definePlugin } from '../../core/api/plugin.js'
import { decodeDf12, encodeDf12, timelessNs } from '../../schemas/index.js'

const part = defineConverter({
  id: 'df12',
  summary: 'Detector-spectrum map of an instrument (ISIS); its messages name no source and no time.',
  config: { type: 'object', additionalProperties: false, properties: {} },
  open: () => ({
    nameless: 'df12',
    peek: (message, out) => {
      // the last map before a run is kept unread: it must be sound, or a good one is lost
      decodeDf12(message)
      out.sourceStart = out.sourceEnd = 0
      out.timestampNs = timelessNs
    },
    decode: decodeDf12,
    encode: encodeDf12
  })
})

export default definePlugin({
  name: 'converter-df12',
  version: '1.0.0',
  api: API,
  summary: 'Converts detector-spectrum maps to and from df12.',
  apply(registry) {
    registry.converter(part)
  }
})
