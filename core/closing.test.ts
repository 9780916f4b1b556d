import assert from 'node:assert/strict'
import { closeAll, closeInTurn } from './closing.js'

describe('closing', () => {
  for (const [name, close] of [
    ['all at once', closeAll],
    ['in turn', closeInTurn]
  ] as const)
    it(`goes on ${name} whatever throws, rejects or hangs, and names each`, async () => {
      const closed: string[] = []
      const failures: string[] = []
      await close(
        [
          ['thrower', () => { throw new Error('thrown') }], // prettier-ignore
          ['rejecter', () => Promise.reject(new Error('rejected'))],
          ['sleeper', () => new Promise(() => undefined)],
          ['good', () => closed.push('good')]
        ],
        (part, error) => failures.push(`${part}: ${(error as Error).message}`),
        20
      )
      assert.deepEqual(closed, ['good'])
      assert.deepEqual(failures.toSorted(), [
        'rejecter: rejected',
        'sleeper: sleeper did not finish within 0.02 s',
        'thrower: thrown'
      ])
    })
})
