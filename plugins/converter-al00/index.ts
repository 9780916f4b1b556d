// Converter of al00: the alarm of a source, sent when it changes.
import { API, definePlugin, type OutMessage } from '../../core/api/plugin.js'
import {
  encodeMessage,
  idCode,
  peekField,
  Table,
  type AlarmRecord,
  alarmText,
  BySource,
  defineConverter,
  messageOf,
  type Update
} from '../../schemas/index.js'

const code = idCode('al00')
const slots = { source: 0, time: 1 }

function decode(message: Uint8Array): AlarmRecord {
  const t = Table.root(message, 'al00')
  return { source: t.required(0, 'source_name'), timestampNs: t.time(1), severity: t.int16(2), message: t.text(3) }
}

// `message` is always there: readers do not expect it to be absent.
const encode = ({ source, timestampNs, severity, message }: AlarmRecord): Buffer =>
  encodeMessage('al00', { source_name: source, timestamp: timestampNs, severity, message })

function converter(fromServer: boolean) {
  const last = new BySource<string>()
  return (update: Update): readonly OutMessage[] => {
    if (update.kind !== 'value') return []
    const { source, timestampNs, alarm } = update
    const message = (fromServer && alarm.message) || alarmText(alarm)
    const state = `${alarm.severity} ${message}`
    if (!update.first && !update.repeat && last.get(source) === state) return []
    last.set(source, state)
    return [messageOf(update, encode({ source, timestampNs, severity: alarm.severity, message }))]
  }
}

const part = defineConverter({
  id: 'al00',
  summary: 'Alarm of a source, sent when severity or text changes.',
  config: {
    type: 'object',
    additionalProperties: false,
    properties: {
      text: {
        enum: ['status', 'server'],
        default: 'server',
        description:
          'Alarm text: what the server says in its own words (pvAccess), else the name of the EPICS status; or always that name.'
      }
    }
  },
  open: (config) => ({
    peek: (message, out) => peekField(message, code, slots, out),
    decode,
    encode,
    convert: converter(config.text !== 'status')
  })
})

export default definePlugin({
  name: 'converter-al00',
  version: '1.0.0',
  api: API,
  summary: 'Converts alarms to and from al00.',
  apply(registry) {
    registry.converter(part)
  }
})
