// Which reporters run: each stands for itself.
import assert from 'node:assert/strict'
import { wantedReporters } from './inspect.js'

describe('reporters', () => {
  const ids = (config: Record<string, unknown>, has = (_id: string): boolean => true): string[] =>
    wantedReporters(config, has).flatMap(([id, options]) => (options === false ? [] : [id]))

  it('are json and x5f2 unless switched off, each by itself', () => {
    assert.deepEqual(ids({}), ['json', 'x5f2'])
    assert.deepEqual(ids({ json: false }), ['x5f2'])
    assert.deepEqual(ids({ prometheus: {} }), ['json', 'x5f2', 'prometheus'])
    assert.deepEqual(ids({ x5f2: { topic: 't' }, json: false }), ['x5f2'])
  })

  it('leave out what is not loaded, but not what the config names', () => {
    assert.deepEqual(
      ids({}, (id) => id === 'json'),
      ['json']
    )
    assert.deepEqual(
      ids({ smoke: {} }, () => false),
      ['smoke']
    )
  })
})
