// Simulated channels: shapes, alarms, types, order and end.
import assert from 'node:assert/strict'
import { check } from '../../core/check.js'
import { type Context } from '../../core/api/plugin.js'
import { type SourcePart, type Update, type Vector } from '../../schemas/index.js'
import { sim } from './source.js'

const part: SourcePart = sim

/** The values of a channel that ends by itself. */
async function run(options: Record<string, unknown>): Promise<Update[]> {
  const config = { channel: 'SIM:A', rate: 5000, updates: 50, ...options }
  assert.deepEqual(check(part.config, config), [])
  const controller = new AbortController()
  const context: Context = { jobId: 'test', signal: controller.signal, log: () => undefined, count: () => undefined }
  const updates: Update[] = []
  await new Promise<void>((resolve) => {
    part.open(config, context, (update) => {
      updates.push(update)
      if (update.connection === 6) resolve()
    })
  })
  assert.deepEqual([updates[0]?.kind, updates[0]?.connection], ['connection', 2])
  return updates.slice(1, -1)
}

const values = (updates: readonly Update[]): unknown[] => updates.map(({ value }) => value)

describe('source-sim', () => {
  it('counts, with growing times and only one first value', async () => {
    const updates = await run({ shape: 'counter' })
    assert.deepEqual(
      values(updates),
      Array.from({ length: 50 }, (_, n) => n)
    )
    updates.reduce((before, update) => {
      assert.ok(update.timestampNs > before.timestampNs)
      return update
    })
    assert.equal(updates.filter(({ first }) => first).length, 1)
    assert.equal(updates[0]?.dtype, 'int32')
  })

  it('gives the same random values for the same seed and channel, from 0 to 100', async () => {
    const [a, b, c, d] = [await run({}), await run({}), await run({ seed: 2 }), await run({ channel: 'SIM:B' })]
    assert.deepEqual(values(a), values(b))
    assert.notDeepEqual(values(a), values(c))
    assert.notDeepEqual(values(a), values(d))
    for (const { value } of a) assert.ok(typeof value === 'number' && value >= 0 && value <= 100 && value % 1 === 0)
    assert.ok(new Set(values(a)).size > 20)
  })

  it('swings and steps about the offset', async () => {
    const sine = await run({ shape: 'sine', offset: 10, amplitude: 2, period: 0.008 })
    assert.ok(Math.abs((sine[10]!.value as number) - 12) < 1e-9)
    assert.ok(Math.abs((sine[30]!.value as number) - 8) < 1e-9)
    const step = await run({ shape: 'step', amplitude: 3, period: 0.008 })
    assert.deepEqual([step[0]?.value, step[19]?.value, step[20]?.value, step[40]?.value], [-3, -3, 3, -3])
  })

  it('raises alarms at the limits', async () => {
    const updates = await run({ shape: 'counter', high: 10, hihi: 20 })
    assert.deepEqual(
      [9, 10, 19, 20].map((n) => updates[n]?.alarm),
      [
        { severity: 0, status: 0, message: '' },
        { severity: 1, status: 4, message: 'HIGH' },
        { severity: 1, status: 4, message: 'HIGH' },
        { severity: 2, status: 3, message: 'HIHI' }
      ]
    )
  })

  it('makes strings and arrays', async () => {
    const [text] = await run({ shape: 'counter', dtype: 'string', updates: 1 })
    assert.equal(text?.value, '0')
    const updates = await run({ shape: 'counter', length: 3, updates: 3 })
    const vector = updates[2]!.value as Vector
    assert.deepEqual([vector.dtype, vector.length, [...new Int32Array(vector.bytes.buffer)]], ['int32', 3, [2, 2, 2]])
  })

  it('stops with its signal', async () => {
    const controller = new AbortController()
    const context: Context = { jobId: 'test', signal: controller.signal, log: () => undefined, count: () => undefined }
    const config = { channel: 'SIM:A', rate: 1000 }
    check(part.config, config)
    let seen = 0
    await new Promise<void>((resolve) => {
      part.open(config, context, () => {
        if (++seen === 5) resolve()
      })
    })
    controller.abort()
    const after = seen
    // Another one goes on long enough for the first to have gone on, too
    const other = new AbortController()
    let others = 0
    await new Promise<void>((resolve) => {
      part.open(config, { ...context, signal: other.signal }, () => {
        if (++others === 20) resolve()
      })
    })
    other.abort()
    assert.equal(seen, after)
  })
})
