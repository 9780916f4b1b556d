// Who forwards what: exactly one member, only what must moves, what shares a converter stays together.
import assert from 'node:assert/strict'
import { type Members } from '../../core/api/plugin.js'
import { bundles, ownerOf, Share } from './share.js'
import { type Spec } from './spec.js'

const keys = Array.from({ length: 5000 }, (_, i) => `["ca","IN:DEMO:CS:SB:BLOCK${i}",{}]`)
const members = (names: readonly string[], self: string, generation = 1): Members => ({
  ...{ names, self, generation },
  isLeader: names[0] === self
})
const spec = (channelKey: string, name?: string) => ({ channelKey, name }) as Spec

describe('service-forwarder: sharing', () => {
  it('gives each channel to one member, about the same number to each', () => {
    const names = ['a', 'b', 'c']
    const shares = names.map((name) => {
      const share = new Share(0)
      share.take(members(names, name))
      return keys.filter((key) => share.owns(key))
    })
    assert.equal(new Set(shares.flat()).size, keys.length)
    assert.equal(shares.flat().length, keys.length)
    for (const share of shares)
      assert.ok(Math.abs(share.length - keys.length / 3) < keys.length / 30, `${share.length}`)
  })

  it('moves only the channels of a member that goes', () => {
    const before = keys.map((key) => ownerOf(['a', 'b', 'c'], key))
    const after = keys.map((key) => ownerOf(['a', 'c'], key))
    before.forEach((owner, i) => owner === 'b' || assert.equal(after[i], owner))
    assert.ok(after.every((owner) => owner === 'a' || owner === 'c'))
  })

  it('owns nothing before it knows the members', () => {
    const share = new Share(1000)
    assert.ok(keys.every((key) => !share.owns(key) && !share.keeps(key)))
  })

  it('keeps what goes to another for the time of the handover, also through several turns', () => {
    const share = new Share(1000)
    share.take(members(['a'], 'a'), 0)
    share.take(members(['a', 'b'], 'a', 2), 10_000)
    share.take(members(['a', 'b', 'c'], 'a', 3), 10_500)
    const lost = keys.filter((key) => !share.owns(key))
    assert.ok(lost.length > keys.length / 2)
    assert.ok(lost.every((key) => share.keeps(key, 10_900)))
    const fromFirst = lost.filter((key) => ownerOf(['a', 'b'], key) !== 'a')
    assert.ok(fromFirst.length > 0 && fromFirst.every((key) => !share.keeps(key, 11_100)), 'kept since the first turn')
    const fromSecond = lost.filter((key) => !fromFirst.includes(key))
    assert.ok(fromSecond.length > 0 && fromSecond.every((key) => share.keeps(key, 11_100)))
    assert.ok(lost.every((key) => !share.keeps(key, 11_600)))
  })

  it('keeps channels together that share a converter, in whatever order they came', () => {
    const list = [
      spec('x', 'one'),
      spec('y', 'two'),
      spec('z', 'three'),
      spec('y', 'one'),
      spec('free'),
      spec('z', 'two')
    ]
    for (const specs of [list, list.toReversed()]) {
      const found = bundles(specs)
      assert.equal(new Set(['x', 'y', 'z'].map((key) => found.get(key))).size, 1)
      assert.ok(!found.has('free'))
    }
    assert.equal(bundles(list).get('x'), bundles(list.toReversed()).get('x'))
    const names = ['a', 'b', 'c', 'd']
    for (const name of names) {
      const share = new Share(0)
      share.update(list)
      share.take(members(names, name))
      assert.equal(new Set(['x', 'y', 'z'].map((key) => share.owns(key))).size, 1)
    }
  })
})
