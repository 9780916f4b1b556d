// Converter of f142: one control value with its EPICS alarm.
import { API, defineConverter, definePlugin, type OutMessage, type Update } from '../../core/api/plugin.js'
import { BySource, logValue, messageOf } from '../../schemas/convert.js'
import { logF142 } from '../../schemas/log-data.js'

interface Settings {
  readonly enumText: boolean
  readonly skipEmpty: boolean
  readonly onChange: boolean
}

function converter({ onChange, ...options }: Settings) {
  const lastAlarm = new BySource<number>()

  // Status and severity as one number; both are left out when they are the same as in the source's last message.
  const isNews = (update: Update): boolean => {
    if (!onChange) return true
    const { severity, status } = update.alarm
    const alarm = severity * 100 + status
    const changed = update.first || update.repeat || lastAlarm.get(update.source) !== alarm
    if (changed) lastAlarm.set(update.source, alarm)
    return changed
  }

  return (update: Update): readonly OutMessage[] => {
    if (update.kind !== 'value' || update.events !== undefined) return []
    const log = logValue(update, options)
    if (log === undefined) return []
    const { source, timestampNs } = update
    const alarm = isNews(update) ? update.alarm : undefined
    return [messageOf(update, logF142.encode({ source, timestampNs, dtype: log.dtype, value: log.value, alarm }))]
  }
}

const part = defineConverter({
  id: 'f142',
  summary: 'Control value (number, array, text) with time and EPICS alarm.',
  config: {
    type: 'object',
    additionalProperties: false,
    properties: {
      alarm: {
        enum: ['always', 'on_change'],
        default: 'always',
        description: 'Put the alarm in every message, or only in those where it changed.'
      },
      enum: {
        enum: ['index', 'text'],
        default: 'index',
        description: 'Send enums as their index or as their text.'
      },
      empty_array: {
        enum: ['send', 'skip'],
        default: 'send',
        description: 'What happens to arrays without elements.'
      }
    }
  },
  open: (config) => ({
    ...logF142,
    convert: converter({
      onChange: config.alarm === 'on_change',
      enumText: config.enum === 'text',
      skipEmpty: config.empty_array === 'skip'
    })
  })
})

export default definePlugin({
  name: 'converter-f142',
  version: '1.0.0',
  api: API,
  summary: 'Converts control values to and from f142.',
  apply(registry) {
    registry.converter(part)
  }
})
