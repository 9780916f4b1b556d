// Alarms of al00 messages: time, severity and message, beside a value log or in a group of their own.
import { API, definePlugin } from '../../core/api/plugin.js'
import { timeAttributes, defineWriter, type Group, type Writer } from '../service-filewriter/writer-kit.js'
import { type AlarmRecord } from '../../schemas/index.js'

const MESSAGE_BYTES = 200
function open(group: Group): Writer<AlarmRecord> {
  const message = group.column('alarm_message', { dtype: { string: MESSAGE_BYTES } })
  const severity = group.column('alarm_severity', { dtype: 'int16' })
  const time = group.column('alarm_time', { dtype: 'uint64', index: true, attributes: timeAttributes })
  return {
    write(record) {
      message.appendString(record.message === '' ? 'NO ALARM MESSAGE' : record.message)
      severity.appendNumber(record.severity)
      time.appendBigInt(record.timestampNs)
    }
  }
}

const part = (id: string) =>
  defineWriter({
    id,
    summary: 'Alarms of al00 messages: alarm_time, alarm_severity (0 OK, 1 MINOR, 2 MAJOR, 3 INVALID), alarm_message.',
    accepts: ['al00'],
    nxClass: 'NXlog',
    keepsLast: true,
    config: { type: 'object', additionalProperties: false, properties: {} },
    open
  })

export default definePlugin({
  name: 'writer-alarm',
  version: '1.0.0',
  api: API,
  summary: 'Writes alarms (al00).',
  apply(registry) {
    for (const id of ['al00', 'alarm_info']) registry.writer(part(id))
  }
})
