// Structures: both grammars give the same plan, and everything wrong is found with its path before a file exists.
import assert from 'node:assert/strict'
import {
  BadMessage,
  defineConverter,
  defineWriter,
  type ConverterPart,
  type WriterPart
} from '../../core/api/plugin.js'
import { checkStructure, type Parts } from '../../plugins/service-filewriter/structure/structure.js'

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
const parts: Parts = {
  writer: (id) => writers.get(id),
  converter: (id) => converters.get(id),
  ids: (kind) => [...(kind === 'writer' ? writers : converters).keys()]
}

const entry = (children: unknown[], more: object = {}): object => ({
  children: [{ type: 'group', name: 'entry', children, ...more }]
})
const found = (structure: unknown): string[] =>
  checkStructure(structure, parts).findings.map(({ code, path, message }) => `${code} ${path} ${message}`)
const one = (structure: unknown): string => {
  const list = found(structure)
  assert.equal(list.length, 1, list.join('\n'))
  return list[0] ?? ''
}
const dataset = (config: object): object => entry([{ module: 'dataset', config: { name: 'd', ...config } }])
const read = (config: object): { dtype: unknown; shape: unknown; value: unknown } => {
  const { plan, findings } = checkStructure(dataset(config), parts)
  assert.deepEqual(findings, [])
  const made = plan.root.groups.get('entry')?.datasets.get('d')
  assert.ok(made)
  const { dtype, shape, value } = made
  return { dtype, shape, value: ArrayBuffer.isView(value) ? [...(value as Int32Array)] : value }
}
const stream = { module: 'f144', config: { topic: 't', source: 's' } }

describe('structure: both grammars', () => {
  it('takes the 2018 grammar', () => {
    const { plan, findings } = checkStructure(
      entry([
        {
          type: 'group',
          name: 'temp',
          attributes: { NX_class: 'NXlog' },
          children: [
            {
              type: 'stream',
              stream: { topic: 't', source: 's', writer_module: 'f144', dtype: 'int32' },
              attributes: { vendor: 'x' },
              run_parallel: true
            }
          ]
        },
        { type: 'dataset', name: 'n', values: [1, 2], dataset: { type: 'uint32', size: [2], space: 'simple' } },
        { type: 'link', name: 'l', target: './temp/value' }
      ]),
      parts
    )
    assert.deepEqual(findings, [])
    const [made] = plan.streams
    assert.equal(made?.module, 'f144')
    assert.equal(made?.group.path, '/entry/temp')
    assert.deepEqual(made?.config, { dtype: 'int32' })
    assert.deepEqual(made?.group.attributes.get('vendor'), { value: 'x', dtype: 'string' })
    assert.equal(plan.root.groups.get('entry')?.links.get('l')?.target, '/entry/temp/value')
  })

  it('takes the module grammar, legacy keys and attribute lists', () => {
    const { plan, findings } = checkStructure(
      {
        dynamic_version: '1.2',
        template_version: 3,
        children: [
          {
            type: 'group',
            name: 'entry',
            required_devices: [],
            required_nexus: {},
            attributes: [
              { name: 'NX_class', dtype: 'string', values: 'NXentry' },
              { name: 'vector', type: 'float', values: [0, 0, 1] }
            ],
            children: [
              { module: 'mdat' },
              { ...stream, config: { ...stream.config, on_missing_topic: 'wait', first_after_stop: true } },
              { module: 'dataset', config: { name: 'x', type: 'int', value: 5, string_size: 3 } },
              { module: 'link', config: { name: 'low', source: '../entry/minimum_value' } }
            ]
          }
        ]
      },
      parts
    )
    assert.deepEqual(findings, [])
    assert.deepEqual(plan.root.attributes.get('template_version'), '3')
    const group = plan.root.groups.get('entry')
    assert.deepEqual(group?.attributes.get('vector'), { value: [0, 0, 1], dtype: 'float32' })
    assert.deepEqual(
      group?.streams.map(({ module, onMissingTopic, firstAfterStop }) => [module, onMissingTopic, firstAfterStop]),
      [
        ['mdat', undefined, false],
        ['f144', 'wait', true]
      ]
    )
  })

  it('takes JSON text and keeps integers that a double cannot hold', () => {
    const text = JSON.stringify(dataset({ dtype: 'uint64', value: '@' })).replace('"@"', '18446744073709551615')
    const { plan, findings } = checkStructure(text, parts)
    assert.deepEqual(findings, [])
    const value = plan.root.groups.get('entry')?.datasets.get('d')?.value
    assert.deepEqual(value, BigUint64Array.of(2n ** 64n - 1n))
  })
})

describe('structure: values', () => {
  it('types them by dtype, and without one as the grammar has it', () => {
    assert.deepEqual(read({ values: 3 }), { dtype: 'float64', shape: [], value: [3] })
    assert.deepEqual(read({ values: [[1, 2], [3, 4]], dtype: 'int16' }), { dtype: 'int16', shape: [2, 2], value: [1, 2, 3, 4] }) // prettier-ignore
    assert.deepEqual(read({ values: ['a', 'b'] }), { dtype: 'string', shape: [2], value: ['a', 'b'] })
    assert.deepEqual(read({ value: 'text' }), { dtype: 'string', shape: [], value: 'text' })
    assert.deepEqual(read({ value: 'ab', type: 'string', string_size: 4 }), { dtype: { string: 4 }, shape: [], value: 'ab' }) // prettier-ignore
    assert.deepEqual(read({ value: [true, false] }), { dtype: 'int8', shape: [2], value: [1, 0] })
    assert.deepEqual(read({ value: ['NaN', 1], dtype: 'float32' }), { dtype: 'float32', shape: [2], value: [NaN, 1] })
    assert.deepEqual(read({ value: [], dtype: 'int32' }), { dtype: 'int32', shape: [0], value: [] })
    const old = checkStructure(entry([{ type: 'dataset', name: 'd', values: [1, 2] }]), parts)
    assert.equal(old.plan.root.groups.get('entry')?.datasets.get('d')?.dtype, 'int64')
    const unlimited = {
      type: 'dataset',
      name: 'd',
      values: [[1, 2]],
      dataset: { type: 'double', size: ['unlimited', 2] }
    }
    assert.equal(
      checkStructure(entry([unlimited]), parts)
        .plan.root.groups.get('entry')
        ?.datasets.get('d')?.unlimited,
      true
    )
  })

  it('finds ragged, mistyped and out-of-range values by path', () => {
    const at = '/children/0/children/0/config/values'
    assert.match(one(dataset({ values: [[1, 2], [3]] })), new RegExp(`STRUCTURE_INVALID ${at}/1 has 1 items`))
    assert.match(one(dataset({ values: [1, [2]] })), new RegExp(`${at}/1 is a list`))
    assert.match(one(dataset({ values: [1, 300], dtype: 'uint8' })), new RegExp(`${at}/1 300 is outside uint8`))
    assert.match(one(dataset({ values: [1.5], dtype: 'int32' })), new RegExp(`${at}/0 1.5 is not an integer`))
    assert.match(one(dataset({ values: ['x'], dtype: 'int32' })), new RegExp(`${at}/0 "x" is not a number`))
    assert.match(one(dataset({ values: [2 ** 60], dtype: 'int64' })), /lost digits/)
    assert.match(one(dataset({ values: [null] })), new RegExp(`${at}/0`))
    assert.match(one(dataset({ value: 'toolong', dtype: 'string', string_size: 3 })), /7 bytes but string_size is 3/)
    assert.match(one(dataset({ values: 1, dtype: 'complex' })), /config\/dtype "complex" is not a data type/)
    assert.match(one(dataset({})), new RegExp(`${at} is missing`))
    assert.match(
      one(entry([{ type: 'dataset', name: 'd', values: [1], dataset: { size: [2] } }])),
      /dataset\/size says \[2\]/
    )
  })
})

describe('structure: what is wrong is found', () => {
  const cases: Record<string, [unknown, RegExp]> = {
    'no object': [5, /STRUCTURE_INVALID \/ must be an object/],
    'broken JSON': ['{"children":[', /NeXus structure JSON cannot be parsed/],
    'unknown key': [entry([], { chidren: [] }), /\/children\/0\/chidren unknown key/],
    'unknown node': [entry([{ name: 'x' }]), /\/children\/0\/children\/0 needs `type`/],
    'unknown kind': [entry([{ type: 'grp', name: 'x' }]), /\/children\/0\/children\/0\/type needs/],
    'unknown module': [entry([{ module: 'f999', config: {} }]), /WRITER_UNKNOWN \/children\/0\/children\/0\/module .* f144, mdat/],
    'no topic': [entry([{ module: 'f144', config: { source: 's' } }]), /config\/topic is missing/],
    'config of the writer': [entry([{ module: 'f144', config: { topic: 't', source: 's', dtype: 'no' } }]), /config\/dtype must be one of/],
    'config key': [entry([{ module: 'f144', config: { topic: 't', source: 's', dtypes: 'x' } }]), /config\/dtypes unknown key; did you mean 'dtype'/],
    'policy': [entry([{ module: 'f144', config: { topic: 't', source: 's', on_missing_topic: 'x' } }]), /on_missing_topic must be wait/],
    'same name twice': [entry([{ type: 'group', name: 'a' }, { type: 'dataset', name: 'a', values: 1 }]), /children\/1\/name 'a' exists twice in \/entry/],
    'same dataset by two modules': [entry([stream, stream]), /children\/1 f144: \/entry\/value is made already/],
    'dataset that a module makes': [entry([{ type: 'dataset', name: 'value', values: 1 }, stream]), /value is made already/],
    'dataset after the module that makes it': [entry([stream, { type: 'dataset', name: 'value', values: 1 }]), /children\/1 \/entry\/value is made by a module/],
    'group after the module that makes it': [entry([stream, { type: 'group', name: 'time' }]), /children\/1 \/entry\/time is made by a module/],
    'link of the name of what is made at the end': [entry([{ type: 'link', name: 'minimum_value', target: '/entry' , kind: 'soft' }, stream]), /children\/0 \/entry\/minimum_value is made by a module/],
    'name with a slash': [entry([{ type: 'group', name: 'a/b' }]), /name 'a\/b' has a '\/'/],
    'dots': [entry([{ type: 'group', name: '..' }]), /'..' is not a name/],
    'link to nothing': [entry([{ type: 'link', name: 'l', target: '/entry/none' }]), /the target \/entry\/none of link '\/entry\/l'/],
    'link out of the file': [entry([{ type: 'link', name: 'l', target: '../../x' }]), /leads out of the file/],
    'link to itself': [entry([{ type: 'link', name: 'l', target: 'l' }]), /does not exist/],
    'external without file': [entry([{ module: 'link', config: { name: 'l', source: '/x', kind: 'external' } }]), /config\/file is missing/],
    'attribute null': [entry([], { attributes: { a: null } }), /attributes\/a null is not a number/],
    'attribute ragged': [entry([], { attributes: { a: [[1], [2]] } }), /one dimension/],
    'attribute without name': [entry([], { attributes: [{ value: 1 }] }), /attributes\/0\/name is missing/],
    'attribute too large': [entry([], { attributes: { a: 'x'.repeat(70_000) } }), /at most 60000 bytes/],
    'prototype key': [JSON.parse('{"__proto__":{"children":[]},"children":[]}'), /\/__proto__ unknown key/],
    'children of a stream': [entry([{ ...stream, children: [stream] }]), /children a stream has no children/]
  } // prettier-ignore
  for (const [name, [structure, expected]] of Object.entries(cases)) {
    it(name, () => assert.match(one(structure), expected))
  }

  it('keeps the good rest and lists all the bad', () => {
    const { plan, findings } = checkStructure(
      entry([
        stream,
        { module: 'f999', config: {} },
        { type: 'dataset', name: 'd', values: [1, 'x'], dataset: { type: 'int8' } }
      ]),
      parts,
      { at: '/nexus_structure' }
    )
    assert.deepEqual(
      findings.map(({ code, path }) => [code, path]),
      [
        ['WRITER_UNKNOWN', '/nexus_structure/children/0/children/1/module'],
        ['STRUCTURE_INVALID', '/nexus_structure/children/0/children/2/values/1']
      ]
    )
    assert.equal(plan.streams.length, 1)
    assert.equal(plan.root.groups.get('entry')?.datasets.size, 0)
  })

  it('refuses endless depth without falling over', () => {
    let node: object = { type: 'group', name: 'g' }
    for (let i = 0; i < 5000; i++) node = { type: 'group', name: 'g', children: [node] }
    assert.match(one({ children: [node] }), /nested deeper than 64/)
    assert.match(one('['.repeat(1_000_000)), /cannot be parsed/)
  })
})

describe('structure: templates', () => {
  const template = JSON.stringify({
    template_version: '7',
    children: [
      {
        type: 'group',
        name: 'entry',
        attributes: { NX_class: 'NXentry', kept: 1, changed: 'old' },
        children: [
          { module: 'dataset', config: { name: 'title', values: 'of the template' }, attributes: { a: 1 } },
          {
            type: 'group',
            name: 'instrument',
            children: [{ module: 'dataset', config: { name: 'name', values: 'X' } }]
          }
        ]
      }
    ]
  })

  it('are laid under a structure, which adds groups, streams and attributes but changes no values', () => {
    const { plan, findings } = checkStructure(
      entry(
        [
          { module: 'dataset', config: { name: 'title', values: 'other' }, attributes: { b: 2 } },
          { type: 'group', name: 'instrument', children: [{ type: 'group', name: 'log', children: [stream] }] }
        ],
        { attributes: { changed: 'new' } }
      ),
      parts,
      { template }
    )
    assert.deepEqual(findings, [])
    const group = plan.root.groups.get('entry')
    assert.equal(plan.root.attributes.get('template_version'), '7')
    assert.deepEqual(group?.datasets.get('title')?.value, 'of the template')
    assert.deepEqual(Object.keys(group?.datasets.get('title')?.attributes ?? {}), ['a', 'b'])
    assert.deepEqual([...(group?.attributes.keys() ?? [])], ['NX_class', 'kept', 'changed'])
    assert.deepEqual(group?.attributes.get('changed'), { value: 'new', dtype: 'string' })
    assert.deepEqual([...(group?.groups.get('instrument')?.datasets.keys() ?? [])], ['name'])
    assert.equal(plan.streams[0]?.group.path, '/entry/instrument/log')
  })

  it('are checked as well, and a group that was already there is still no second one', () => {
    const bad = checkStructure(entry([]), parts, { template: '{"children":[{"type":"group"}]}' })
    assert.deepEqual(
      bad.findings.map(({ path }) => path),
      ['/template/children/0/name']
    )
    const twice = checkStructure({ children: [{ type: 'group', name: 'new' }, { type: 'group', name: 'new' }] }, parts, { template }) // prettier-ignore
    assert.match(twice.findings[0]?.message ?? '', /exists twice/)
  })
})

describe('structure: size', () => {
  it('takes a hundred thousand nodes and tens of megabytes, and refuses what is beyond the limit with its number', () => {
    const groups = Array.from({ length: 20_000 }, (_, i) => ({
      type: 'group',
      name: `g${i}`,
      children: [0, 1, 2, 3].map((n) => ({ module: 'dataset', config: { name: `d${n}`, values: 'x'.repeat(300) } }))
    }))
    const text = JSON.stringify({ children: groups })
    assert.ok(text.length > 25e6)
    const { plan, findings } = checkStructure(text, parts)
    assert.deepEqual(findings, [])
    assert.equal(plan.root.groups.size, 20_000)
    const small = checkStructure(text, parts, { maxBytes: 1_000_000 })
    assert.match(small.findings[0]?.message ?? '', /has \d+ characters; the limit is 1000000/)
  })
})
