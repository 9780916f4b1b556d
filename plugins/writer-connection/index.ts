// Connection states of EPICS channels, ep00 and ep01, both in the codes of ep01.
import { API, definePlugin } from '../../core/api/plugin.js'
import { timeAttributes, defineWriter, type Group, type Writer } from '../service-filewriter/writer-kit.js'
import { type ConnectionRecord } from '../../schemas/index.js'

function open(group: Group): Writer<ConnectionRecord> {
  const status = group.column('connection_status', { dtype: 'int16' })
  const time = group.column('connection_status_time', { dtype: 'uint64', index: true, attributes: timeAttributes })
  return {
    write(record) {
      status.appendNumber(record.status)
      time.appendBigInt(record.timestampNs)
    }
  }
}

const part = (id: string, accepts: readonly string[]) =>
  defineWriter({
    id,
    summary: `Connection states of ${accepts.join(' and ')} messages: connection_status (codes of ep01) and its time.`,
    accepts,
    nxClass: 'NXlog',
    keepsLast: true,
    config: { type: 'object', additionalProperties: false, properties: {} },
    open
  })

export default definePlugin({
  name: 'writer-connection',
  version: '1.0.0',
  api: API,
  summary: 'Writes connection states (ep00, ep01).',
  apply(registry) {
    registry.writer(part('ep00', ['ep00']))
    registry.writer(part('ep01', ['ep01', 'ep00']))
    registry.writer(part('epics_con_info', ['ep01', 'ep00']))
  }
})
