import assert from 'node:assert/strict'
import fc from 'fast-check'
import { SourceTable } from './sources.js'
import { Instant, type StreamState } from './window.js'

describe('routing', () => {
  it('finds each of thousands of sources by its bytes, whatever lies around them, and no other', () => {
    const table = new SourceTable()
    const names = Array.from({ length: 5000 }, (_, i) => `PS-${i % 7}:Magnét-${i}:${i % 2 === 0 ? 'I' : 'Current'}`)
    const streams = names.map((name) => ({ name }) as unknown as StreamState)
    names.forEach((name, i) => table.add(name, streams[i] as StreamState))
    const second = { name: 'second' } as unknown as StreamState
    table.add(names[17] ?? '', second)
    for (const [i, name] of names.entries()) {
      const message = Buffer.from(`ab${name}yz`)
      assert.deepEqual(table.find(message, 2, message.length - 2), i === 17 ? [streams[17], second] : [streams[i]])
      assert.equal(table.find(message, 2, message.length - 1), undefined)
    }
    assert.equal(table.find(Buffer.from('abc'), 1, 1), undefined)
    table.add('', second)
    assert.deepEqual(table.find(Buffer.from('abc'), 1, 1), [second])
  })

  it('compares times as bigints do', () => {
    const time = fc.oneof(fc.bigInt(0n, 2n ** 63n - 1n), fc.bigInt(2n ** 32n - 3n, 2n ** 32n + 3n))
    fc.assert(
      fc.property(time, time, (a, b) => {
        const [first, second] = [new Instant(a), new Instant(b)]
        assert.equal(first.isBefore(second), a < b)
        assert.equal(second.isBefore(first), b < a)
        const gap = b - a
        const exact = gap < 2n ** 53n && gap > -(2n ** 53n)
        if (exact) assert.equal(second.since(first.high, first.low), Number(gap))
        else assert.equal(Math.sign(second.since(first.high, first.low)), gap < 0n ? -1 : 1)
      })
    )
  })
})
