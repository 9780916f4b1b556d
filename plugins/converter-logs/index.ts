// Converters of control values: f142 with its EPICS alarm, f144 without.
import { API, definePlugin, type OutMessage } from '../../core/api/plugin.js'
import { logF142, logF144 } from './codec.js'
import { type LogOptions, logValue } from './values.js'
import { BySource, defineConverter, messageOf, type Update } from '../../schemas/index.js'

interface Settings extends LogOptions {
  /** The alarm goes only where it changed. */
  readonly onChange: boolean
}

function convertF142({ onChange, ...options }: Settings) {
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

const convertF144 =
  (options: LogOptions) =>
  (update: Update): readonly OutMessage[] => {
    if (update.kind !== 'value' || update.events !== undefined) return []
    const log = logValue(update, options)
    if (log === undefined) return []
    const { source, timestampNs } = update
    return [messageOf(update, logF144.encode({ source, timestampNs, dtype: log.dtype, value: log.value }))]
  }

const emptyArray = {
  enum: ['send', 'skip'],
  default: 'send',
  description: 'What happens to arrays without elements.'
} as const

const f142 = defineConverter({
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
      empty_array: emptyArray
    }
  },
  open: (config) => ({
    ...logF142,
    convert: convertF142({
      onChange: config.alarm === 'on_change',
      enumText: config.enum === 'text',
      skipEmpty: config.empty_array === 'skip'
    })
  })
})

const f144 = defineConverter({
  id: 'f144',
  summary: 'Control value (number or array) with time; the alarm goes in al00.',
  config: { type: 'object', additionalProperties: false, properties: { empty_array: emptyArray } },
  open: (config) => ({
    ...logF144,
    convert: convertF144({ enumText: false, skipEmpty: config.empty_array === 'skip' })
  })
})

export default definePlugin({
  name: 'converter-logs',
  version: '1.0.0',
  api: API,
  summary: 'Converts control values to and from f142 and f144.',
  apply(registry) {
    registry.converter(f142)
    registry.converter(f144)
  }
})
