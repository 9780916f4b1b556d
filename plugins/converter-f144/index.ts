// Converter of f144: one control value without alarm.
import { API, defineConverter, definePlugin, type OutMessage, type Update } from '../../core/api/plugin.js'
import { type LogOptions, logValue, messageOf } from '../../schemas/convert.js'
import { logF144 } from '../../schemas/log-data.js'

const converter =
  (options: LogOptions) =>
  (update: Update): readonly OutMessage[] => {
    if (update.kind !== 'value' || update.events !== undefined) return []
    const log = logValue(update, options)
    if (log === undefined) return []
    const { source, timestampNs } = update
    return [messageOf(update, logF144.encode({ source, timestampNs, dtype: log.dtype, value: log.value }))]
  }

const part = defineConverter({
  id: 'f144',
  summary: 'Control value (number or array) with time; the alarm goes in al00.',
  config: {
    type: 'object',
    additionalProperties: false,
    properties: {
      empty_array: {
        enum: ['send', 'skip'],
        default: 'send',
        description: 'What happens to arrays without elements.'
      }
    }
  },
  open: (config) => ({
    ...logF144,
    convert: converter({ enumText: false, skipEmpty: config.empty_array === 'skip' })
  })
})

export default definePlugin({
  name: 'converter-f144',
  version: '1.0.0',
  api: API,
  summary: 'Converts control values to and from f144.',
  apply(registry) {
    registry.converter(part)
  }
})
