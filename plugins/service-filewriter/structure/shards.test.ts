import assert from 'node:assert/strict'
import { splitStructure, shardName } from './shards.js'

const stream = (topic: string, module = 'ev44') => ({ module, config: { topic, source: topic } })
const group = (name: string, ...children: object[]) => ({ type: 'group', name, children })
const structure = {
  children: [
    group(
      'entry',
      group('bank0', { module: 'dataset', config: { name: 'x', values: 1 } }, group('events', stream('a'))),
      group(
        'bank1',
        group('events', stream('b'), { type: 'stream', stream: { topic: 'c', source: 's', writer_module: 'f144' } })
      ),
      group('logs', stream('c', 'f144')),
      group('linked', stream('d'), { type: 'link', name: 'l', target: '../bank0/x' }),
      { type: 'link', name: 'one', target: '/entry/bank1/events' },
      { module: 'link', config: { name: 'two', source: '/entry/bank0/x' } }
    )
  ]
}

interface Node {
  name?: string
  kind?: string
  file?: string
  target?: string
  config?: { name?: string; kind?: string; topic?: string }
  stream?: { topic?: string }
  children?: Node[]
}

/** Paths of groups with streams, and of links. */
function flat({ children = [] }: Node, path = ''): string[] {
  return children.flatMap((child) => {
    const { config, stream } = child
    const at = `${path}/${child.name ?? config?.name ?? ''}`
    if (child.kind === 'external') return [`${at} → ${child.file}:${child.target}`]
    const kind = child.kind ?? config?.kind
    if (kind !== undefined) return [`${at} ${kind}`]
    const topic = config?.topic ?? stream?.topic
    return topic === undefined ? flat(child, at) : [`${path} ${topic}`]
  })
}

describe('splitting a structure over threads', () => {
  it('moves whole groups, keeps tied topics together, and leaves what has links in the master', () => {
    for (const input of [structure, JSON.stringify(structure)]) {
      const shards = splitStructure(input, 'sub/run.nxs', 3)
      assert.deepEqual(
        shards.map(({ fileName, topics }) => [fileName, topics]),
        [
          ['sub/run.nxs', ['d']],
          ['sub/run_1.nxs', ['c', 'b']],
          ['sub/run_2.nxs', ['a']]
        ]
      )
      assert.deepEqual(flat(shards[0]?.structure ?? {}), [
        '/entry/bank0/events → run_2.nxs:/entry/bank0/events',
        '/entry/bank1/events → run_1.nxs:/entry/bank1/events',
        '/entry/logs → run_1.nxs:/entry/logs',
        '/entry/linked d',
        '/entry/linked/l soft',
        '/entry/one soft',
        '/entry/two soft'
      ])
      assert.deepEqual(flat(shards[1]?.structure ?? {}), [
        '/entry/bank1/events b',
        '/entry/bank1/events c',
        '/entry/logs c'
      ])
      assert.deepEqual(flat(shards[2]?.structure ?? {}), ['/entry/bank0/events a'])
    }
  })

  it('divides a topic by the partitions that its streams ask for', () => {
    const part = (...partitions: number[]) => ({ module: 'ev44', config: { topic: 'a', source: 's', partitions } })
    const shards = splitStructure(
      {
        children: [
          group('entry', group('x', part(1, 0)), group('y', part(2)), group('z', part(0, 1)), group('w', stream('b')))
        ]
      },
      'f',
      8
    )
    assert.deepEqual(
      shards.map(({ topics }) => topics),
      [['a [0, 1]'], ['a [2]'], ['b']]
    )
    assert.deepEqual(flat(shards[0]?.structure ?? {}), [
      '/entry/x a',
      '/entry/y → f_1:/entry/y',
      '/entry/z a',
      '/entry/w → f_2:/entry/w'
    ])
    assert.equal(splitStructure({ children: [group('entry', group('x', part(0), part(1)))] }, 'f', 8).length, 1)
  })

  it('makes no more shards than topics, and one of what is no structure', () => {
    assert.equal(splitStructure(structure, 'f', 64).length, 3)
    assert.equal(splitStructure(structure, 'f', 1).length, 1)
    for (const bad of ['{', [], 7, {}, { children: 3 }]) assert.equal(splitStructure(bad, 'f', 4).length, 1)
    assert.equal(shardName('a/b.c/run', 2), 'a/b.c/run_2')
  })
})
