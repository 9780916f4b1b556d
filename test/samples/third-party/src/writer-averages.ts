// Writer `averages`: of each `every` readings their mean, lowest, highest, and the time of the last one.
import { API, BadMessage, defineWriter, definePlugin, type LogRecord } from 'nexstream/plugin'

const averages = defineWriter({
  id: 'averages',
  summary: 'Mean, lowest and highest of each so many readings.',
  accepts: ['f142', 'f144', 'tx00'],
  nxClass: 'NXlog',
  keepsLast: false,
  config: {
    type: 'object',
    additionalProperties: false,
    properties: {
      every: { type: 'integer', minimum: 1, default: 10, description: 'Readings per average.' },
      units: { type: 'string', default: '', description: 'Unit of the readings.' }
    }
  },
  open(group, { every, units }, context) {
    const attributes = { units }
    const mean = group.column('value', { dtype: 'float64', attributes })
    const low = group.column('lowest', { dtype: 'float64', attributes })
    const high = group.column('highest', { dtype: 'float64', attributes })
    const time = group.column('time', { dtype: 'int64', attributes: { units: 'ns', start: '1970-01-01T00:00:00Z' } })
    let readings: number[] = []
    return {
      write({ value, timestampNs }: LogRecord) {
        if (typeof value !== 'number') throw new BadMessage('not_a_number', 'only plain numbers have an average')
        if (readings.push(value) < every) return
        mean.appendNumber(readings.reduce((sum, reading) => sum + reading, 0) / every)
        low.appendNumber(Math.min(...readings))
        high.appendNumber(Math.max(...readings))
        time.appendBigInt(timestampNs)
        readings = []
      },
      close() {
        if (readings.length > 0) context.count('left_over', readings.length, 'note')
      }
    }
  }
})

const apply: Parameters<typeof definePlugin>[0]['apply'] = (registry) => registry.writer(averages)
export default definePlugin({ name: 'writer-averages', version: '1.0.0', api: API, summary: 'Averages.', apply })
