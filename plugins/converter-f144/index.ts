// Converter of f144: one control value without alarm.
import { API, type Context, defineConverter, definePlugin, type OutMessage, type Update } from '../../core/plugin.js'
import { kafkaTime, logValue } from '../../schemas/convert.js'
import { logF144 } from '../../schemas/log-data.js'

const converter =
  (skipEmpty: boolean, context: Context) =>
  (update: Update): readonly OutMessage[] => {
    if (update.kind !== 'value') return []
    const found = logValue(update, { enumText: false, skipEmpty })
    const reason = typeof found === 'string' ? found : found.dtype === 'string' ? 'text_in_f144' : undefined
    if (reason !== undefined || typeof found === 'string') {
      context.count(reason ?? 'no_value')
      return []
    }
    const { source, timestampNs } = update
    return [{ value: logF144.encode({ source, timestampNs, ...found }), ...kafkaTime(update) }]
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
  open: (config, context) => ({
    ...logF144,
    convert: converter(config.empty_array === 'skip', context)
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
