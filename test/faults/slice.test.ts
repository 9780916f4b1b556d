// A short campaign with a fixed seed; the long one is run by hand (main.ts), its tally is in docs/reliability.md.
import assert from 'node:assert/strict'
import { bounds, compare } from './account.js'
import { Campaign, seedOf } from './campaign.js'
import { faults } from './faults/index.js'

const SEED = 20261130

describe('fault campaign', function () {
  this.timeout(600_000)
  const campaign = new Campaign()
  after(() => campaign.close())

  it('sees what is missing, twice, or of others', () => {
    const of = (found: string[], times = 1) => compare({ must: ['1', '2', '3'], may: ['4'] }, found, times)
    assert.deepEqual(of(['1', '2', '3']), { expected: 3, inFile: 3, missing: [], wrong: [] })
    assert.deepEqual(of(['1', '3', '4']), { expected: 3, inFile: 2, missing: ['2'], wrong: [] })
    assert.deepEqual(of(['1', '2', '2', '3', '5']), {
      expected: 3,
      inFile: 2,
      missing: [],
      wrong: ['2 2 times', '5 of others']
    })
    assert.deepEqual(of(['1', '1', '2', '2', '3'], 2), { expected: 3, inFile: 2, missing: [], wrong: ['3 1 times'] })
  })

  it('asks for nothing that is behind the stop time, by however little', () => {
    const times = [5_000_000n, 5_000_001n]
    assert.deepEqual(bounds({ stopMs: 5 }, times, (ns) => ns, String), { must: ['5000000'], may: ['5000001'] }) // prettier-ignore
  })

  for (const [i, name] of ['kill', 'net-cut'].entries())
    it(`accounts for everything: ${name}`, async () => {
      const fault = faults.find((one) => one.name === name)!
      const { expected, unaccounted, problems, detail } = await campaign.round(fault, seedOf(SEED, i))
      assert.ok(expected > 0, detail)
      assert.deepEqual({ unaccounted, problems }, { unaccounted: 0, problems: [] }, detail)
    })

  it('ends all daemons in order', async () => {
    assert.deepEqual(await campaign.close(), [])
  })
})
