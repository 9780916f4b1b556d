// Converter of tx00: one reading as text, `source<TAB>ns since 1970<TAB>value`, behind four zero bytes and the schema id.
import { API, BadMessage, defineConverter, definePlugin, type LogRecord, type Update } from 'nexstream/plugin'

const head = Buffer.from('\0\0\0\0tx00')

function decode(message: Buffer): LogRecord {
  const [source = '', time = '', value = ''] = message.toString('utf8', head.length).split('\t')
  if (source === '' || !/^\d{1,19}$/.test(time) || value === '' || !Number.isFinite(Number(value)))
    throw new BadMessage('bad_text', 'must be source, time and value with tabs between them')
  return { source, timestampNs: BigInt(time), dtype: 'float64', value: Number(value) }
}

const tx00 = defineConverter({
  id: 'tx00',
  summary: 'One reading as a line of text.',
  config: {
    type: 'object',
    additionalProperties: false,
    properties: {
      digits: { type: 'integer', minimum: 0, maximum: 15, default: 6, description: 'Digits after the decimal point.' }
    }
  },
  open({ digits }) {
    const encode = ({ source, timestampNs, value }: Pick<LogRecord, 'source' | 'timestampNs' | 'value'>): Buffer =>
      Buffer.concat([head, Buffer.from(`${source}\t${timestampNs}\t${Number(value).toFixed(digits)}`)])
    return {
      peek(message, out) {
        out.timestampNs = decode(message).timestampNs
        out.sourceStart = head.length
        out.sourceEnd = message.indexOf('\t', head.length)
      },
      decode,
      encode,
      convert({ kind, source, timestampNs, value }: Update) {
        if (kind !== 'value') return []
        if (typeof value !== 'number') throw new BadMessage('unsupported_type', 'tx00 carries plain numbers only')
        return [{ value: encode({ source, timestampNs, value }) }]
      }
    }
  }
})

const apply: Parameters<typeof definePlugin>[0]['apply'] = (registry) => registry.converter(tx00)
export default definePlugin({ name: 'converter-tx00', version: '1.0.0', api: API, summary: 'Readings as text.', apply })
