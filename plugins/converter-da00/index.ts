// Converter of da00: a group of named arrays.
import { API, BadMessage, definePlugin } from '../../core/api/plugin.js'
import {
  checkShape,
  encodeMessage,
  idCode,
  missing,
  peekField,
  shapeOf,
  Table,
  typed,
  typeNumber,
  type DataArrayRecord,
  type DataArrayVariable,
  defineConverter
} from '../../schemas/index.js'

const code = idCode('da00')
const slots = { source: 0, time: 1 }

// A well-known sender writes the number of bytes as the shape of a single number, without axes.
function shapeOfVariable(shape: number[], axes: readonly string[], length: number): number[] {
  if (axes.length === 0 && shape.reduce((product, n) => product * n, 1) !== length) return length === 1 ? [] : [length]
  checkShape(shape, length)
  return shape
}

function variable(t: Table): DataArrayVariable {
  const axes = t.strings(5) ?? []
  const number = t.uint8(4)
  if (number === 0) throw new BadMessage('unknown_type', 'a variable has no element type')
  const { data, isText } = typed(t.vector(7, 'uint8') ?? missing('data'), number - 1)
  const shape = shapeOfVariable(shapeOf(t.vector(6, 'int64') ?? missing('shape')), axes, data.length)
  const [unit, label, source] = [t.string(1), t.string(2), t.string(3)]
  return { name: t.required(0, 'name'), unit, label, source, axes, shape, data, isText }
}

function decode(message: Uint8Array): DataArrayRecord {
  const t = Table.root(message, 'da00')
  const variables = (t.tables(2) ?? missing('data')).map(variable)
  return { source: t.required(0, 'source_name'), timestampNs: t.time(1), variables }
}

function encode({ source, timestampNs, variables }: DataArrayRecord): Buffer {
  const data = variables.map(({ name, unit, label, source, axes, shape, data, isText }) => {
    const data_type = typeNumber(data.dtype, isText) + 1
    return { name, unit, label, source, data_type, axes, shape, data: data.bytes }
  })
  return encodeMessage('da00', { source_name: source, timestamp: timestampNs, data })
}

const part = defineConverter({
  id: 'da00',
  summary: 'A group of named arrays with axes and units.',
  config: { type: 'object', additionalProperties: false, properties: {} },
  open: () => ({ peek: (message, out) => peekField(message, code, slots, out), decode, encode })
})

export default definePlugin({
  name: 'converter-da00',
  version: '1.0.0',
  api: API,
  summary: 'Converts data arrays to and from da00.',
  apply(registry) {
    registry.converter(part)
  }
})
