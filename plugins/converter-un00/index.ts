// Converter of un00: the unit of a source, sent when it changes (ISIS).
import { API, definePlugin, type OutMessage } from '../../core/api/plugin.js'
import {
  encodeMessage,
  idCode,
  peekField,
  Table,
  BySource,
  type UnitsRecord,
  defineConverter,
  messageOf,
  type Update
} from '../../schemas/index.js'

const code = idCode('un00')
const slots = { source: 0, time: 1 }

function decode(message: Uint8Array): UnitsRecord {
  const t = Table.root(message, 'un00')
  return { source: t.required(0, 'source_name'), timestampNs: t.time(1), units: t.string(2) }
}

const encode = ({ source, timestampNs, units }: UnitsRecord): Buffer =>
  encodeMessage('un00', { source_name: source, timestamp: timestampNs, units })

function converter() {
  const last = new BySource<string>()
  return (update: Update): readonly OutMessage[] => {
    if (update.kind !== 'value' || update.events !== undefined) return []
    const { source, timestampNs, units } = update
    if (!update.first && !update.repeat && last.get(source) === units) return []
    last.set(source, units)
    return [messageOf(update, encode({ source, timestampNs, units: units === '' ? null : units }))]
  }
}

const part = defineConverter({
  id: 'un00',
  summary: 'Unit of a source, sent when it changes (ISIS).',
  config: { type: 'object', additionalProperties: false, properties: {} },
  open: () => ({ peek: (message, out) => peekField(message, code, slots, out), decode, encode, convert: converter() })
})

export default definePlugin({
  name: 'converter-un00',
  version: '1.0.0',
  api: API,
  summary: 'Converts units of ISIS to and from un00.',
  apply(registry) {
    registry.converter(part)
  }
})
