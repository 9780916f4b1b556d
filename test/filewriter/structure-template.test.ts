// Structures: templates are laid under them, and large ones are taken.
import assert from 'node:assert/strict'
import { checkStructure } from '../../plugins/service-filewriter/structure/structure.js'
import { entry, parts, stream } from './structures.js'

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
