// Structures: both grammars give the same plan, and values get the types that the grammars say.
import assert from 'node:assert/strict'
import { checkStructure } from '../../plugins/service-filewriter/structure/structure.js'
import { dataset, entry, one, parts, read, stream } from './structures.js'

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

  it('finds mixed, mistyped and out-of-range values by path', () => {
    const at = '/children/0/children/0/config/values'
    assert.match(one(dataset({ values: [1, [2]] })), new RegExp(`STRUCTURE_INVALID ${at}/0 is not a list`))
    assert.match(one(dataset({ values: [1, 300], dtype: 'uint8' })), new RegExp(`${at}/1 300 is outside uint8`))
    assert.match(one(dataset({ values: [1.5], dtype: 'int32' })), new RegExp(`${at}/0 1.5 is not an integer`))
    assert.match(one(dataset({ values: ['x'], dtype: 'int32' })), new RegExp(`${at}/0 "x" is not a number`))
    assert.match(one(dataset({ values: [2 ** 64], dtype: 'int64' })), /outside int64/)
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

describe('structure: modules on paper', () => {
  const group = (name: string, children: unknown[]): unknown => ({ type: 'group', name, children })

  it('are opened once for all streams of one config, and clash in the group that has the name', () => {
    let opened = 0
    const log = parts.writer('f144')!
    const counting = Object.create(log, {
      open: { value: (...args: Parameters<typeof log.open>) => (opened++, log.open(...args)) }
    }) as typeof log
    const taken = { type: 'dataset', name: 'value', values: 1 }
    const many = Array.from({ length: 100 }, (_, i) => group(`log${i}`, [stream]))
    const structure = entry([...many, group('clash', [taken, stream]), group('last', [stream])])
    const { plan, findings } = checkStructure(structure, { ...parts, writer: () => counting })
    assert.equal(plan.streams.length, 101)
    assert.match(findings.map(({ message }) => message).join(), /^f144: \/entry\/clash\/value is made already/)
    assert.equal(opened, 2)
    for (const { group } of plan.streams) assert.ok(group.written.has('time') && group.writtenLate.has('minimum_value'))
  })

  it('are opened in each group when what they make depends on it', () => {
    const asking = Object.create(parts.writer('mdat')!, {
      open: {
        value: (paper: { has(name: string): boolean; dataset(name: string): void }) => {
          if (!paper.has('own')) paper.dataset('own')
          return { write: () => undefined }
        }
      }
    }) as ReturnType<typeof parts.writer>
    const module = { module: 'mdat', config: {} }
    const structure = entry([group('a', [{ type: 'dataset', name: 'own', values: 1 }, module]), group('b', [module])])
    const { plan, findings } = checkStructure(structure, { ...parts, writer: () => asking })
    assert.deepEqual(findings, [])
    assert.deepEqual(plan.streams.map(({ group }) => [...group.written]), [[], ['own']]) // prettier-ignore
  })
})
