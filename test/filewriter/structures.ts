// Two small writers and short words for structures, for the tests of what a structure says.
import assert from 'node:assert/strict'
import { BadMessage } from '../../core/api/plugin.js'
import { type ConverterPart, defineConverter } from '../../schemas/index.js'
import { check } from '../../core/check.js'
import { checkStructure, type WriterParts } from '../../plugins/service-filewriter/structure/structure.js'
import { defineWriter, type WriterPart } from '../../plugins/service-filewriter/writer-part.js'

const log = defineWriter({
  id: 'f144',
  summary: 'log',
  accepts: ['f144'],
  nxClass: 'NXlog',
  keepsLast: true,
  madeAtClose: () => ['minimum_value'],
  config: {
    type: 'object',
    properties: { dtype: { type: 'string', enum: ['double', 'int32'], default: 'double' } },
    additionalProperties: false
  },
  open: (group) => {
    group.column('value', { dtype: 'float64' })
    group.column('time', { dtype: 'uint64' })
    group.attribute('signal', 'value')
    return { write: () => undefined }
  }
})
const bare = defineWriter({
  ...log,
  id: 'mdat',
  accepts: [],
  madeAtClose: () => [],
  config: { type: 'object', properties: {}, additionalProperties: false },
  open: (group) => {
    group.dataset('start_time', 'x', { dtype: 'string' })
    return { write: () => undefined }
  }
})
const converter = defineConverter({
  id: 'f144',
  summary: 'f144',
  config: { type: 'object', properties: {}, additionalProperties: false },
  open: () => ({
    peek: () => {
      throw new BadMessage('never', 'not used here')
    }
  })
})
const writers = new Map<string, WriterPart>([
  ['f144', log],
  ['mdat', bare]
])
const converters = new Map<string, ConverterPart>([['f144', converter]])
export const parts: WriterParts = {
  writer: (id) => writers.get(id),
  converter: (id) => converters.get(id),
  ids: (kind) => [...(kind === 'writer' ? writers : converters).keys()],
  check: (schema, value, path) => check(schema, value, path)
}

export const entry = (children: unknown[], more: object = {}): object => ({
  children: [{ type: 'group', name: 'entry', children, ...more }]
})
const found = (structure: unknown): string[] =>
  checkStructure(structure, parts).findings.map(({ code, path, message }) => `${code} ${path} ${message}`)
export const one = (structure: unknown): string => {
  const list = found(structure)
  assert.equal(list.length, 1, list.join('\n'))
  return list[0] ?? ''
}
export const dataset = (config: object): object => entry([{ module: 'dataset', config: { name: 'd', ...config } }])
export const read = (config: object): { dtype: unknown; shape: unknown; value: unknown } => {
  const { plan, findings } = checkStructure(dataset(config), parts)
  assert.deepEqual(findings, [])
  const made = plan.root.groups.get('entry')?.datasets.get('d')
  assert.ok(made)
  const { dtype, shape, value } = made
  return { dtype, shape, value: ArrayBuffer.isView(value) ? [...(value as Int32Array)] : value }
}
export const stream = { module: 'f144', config: { topic: 't', source: 's' } }
