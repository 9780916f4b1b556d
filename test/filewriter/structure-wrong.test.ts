// Structures: everything wrong is found with its path before a file exists.
import assert from 'node:assert/strict'
import { checkStructure } from '../../plugins/service-filewriter/structure/structure.js'
import { entry, one, parts, stream } from './structures.js'

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
    'attribute mixed': [entry([], { attributes: { a: [[1], 2] } }), /attributes\/a\/1 is not a list/],
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
