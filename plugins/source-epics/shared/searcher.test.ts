import assert from 'node:assert/strict'
import fc from 'fast-check'
import { backoffMs } from './backoff.js'
import { SearchQueue } from './search-queue.js'
import { Searcher, type Searchable } from './searcher.js'

const item = (name: string): Searchable => ({ name, due: 0, slot: -1, attempts: 0, quickUntil: 0, searchBytes: 40 })

describe('search queue', () => {
  it('always has the one due first on top', () => {
    const step = fc.record({ who: fc.nat(19), due: fc.option(fc.nat(100), { nil: undefined }) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const items = Array.from({ length: 20 }, (_, i) => item(String(i)))
        const queue = new SearchQueue<Searchable>()
        const model = new Map<Searchable, number>()
        for (const { who, due } of steps) {
          const one = items[who] as Searchable
          if (due === undefined) assert.equal(queue.delete(one), model.delete(one))
          else {
            queue.set(one, due)
            model.set(one, due)
          }
          assert.equal(queue.size, model.size)
          assert.equal(queue.peek()?.due, model.size === 0 ? undefined : Math.min(...model.values()))
        }
        for (const one of items) assert.equal(one.slot >= 0, model.has(one))
      })
    )
  })
})

describe('back-off', () => {
  it('doubles up to the cap and never leaves ± 25 %', () => {
    for (let attempt = 0; attempt < 100; attempt++) {
      const plain = Math.min(30_000, 60 * 2 ** attempt)
      assert.equal(
        backoffMs(attempt, 60, 30_000, () => 0.5),
        plain
      )
      const wait = backoffMs(attempt, 60, 30_000)
      assert.ok(wait >= plain * 0.75 && wait <= plain * 1.25)
    }
  })
})

describe('searcher', () => {
  it('puts every name into the first datagrams and repeats those not found', async () => {
    const batches: string[][] = []
    const items = Array.from({ length: 100 }, (_, i) => item(String(i)))
    let repeated: () => void = () => undefined
    const isRepeated = new Promise<void>((resolve) => (repeated = resolve))
    const searcher = new Searcher<Searchable>({
      firstMs: 20,
      steadyMs: 50,
      maxMs: 100,
      datagramBytes: 1000,
      send: (batch) => {
        batches.push(batch.map(({ name }) => name))
        for (const one of batch) if (Number(one.name) % 10 !== 0) queueMicrotask(() => searcher.delete(one))
        if (batches.flat().filter((name) => name === '50').length === 3) repeated()
        return true
      }
    })
    for (const one of items) searcher.add(one)
    await isRepeated
    searcher.close()
    assert.ok(batches.every((batch) => batch.length <= 25))
    const first = new Set(batches.slice(0, 4).flat())
    assert.equal(first.size, 100)
    assert.equal(searcher.waiting, 10)
    assert.ok(batches.slice(4).flat().every((name) => Number(name) % 10 === 0)) // prettier-ignore
  })

  it('repeats a few names soon and very many rarely, so that all together cost the network no more', () => {
    for (const [count, steadyMs] of [
      [10, 1000],
      [2000, 10_000],
      [100_000, 30_000]
    ] as const) {
      const searcher = new Searcher<Searchable>({
        ...{ firstMs: 100, steadyMs: 1000, maxMs: 30_000, datagramBytes: 1000 },
        send: () => true
      })
      const items = Array.from({ length: count }, (_, i) => item(String(i)))
      for (const one of items) searcher.add(one, 3_600_000)
      assert.equal(searcher.steadyMs, steadyMs)
      for (const one of items) searcher.delete(one)
      assert.equal(searcher.steadyMs, 1000)
      searcher.close()
    }
  })

  it('waits for a network and hurries when told', async () => {
    let isReady = false
    const times: number[] = []
    let sent: () => void = () => undefined
    const next = () => new Promise<void>((resolve) => (sent = resolve))
    const searcher = new Searcher<Searchable>({
      firstMs: 3_600_000,
      steadyMs: 1000,
      maxMs: 3_600_000,
      datagramBytes: 1000,
      send: () => {
        times.push(Date.now())
        sent()
        return isReady
      }
    })
    const one = item('a')
    const first = next()
    searcher.add(one)
    await first
    isReady = true
    await next()
    assert.equal(one.attempts, 1)
    const hurried = next()
    searcher.hurry(({ name }) => name === 'b')
    searcher.hurry(({ name }) => name === 'a')
    await hurried
    assert.equal(times.length, 3)
    searcher.close()
  })
})
