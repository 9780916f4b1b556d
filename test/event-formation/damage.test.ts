// Damaged packets, a few of each family; more by hand: `node dist/test/event-formation/damage.js`.
import { damage, damageCases, modesOf } from './damaged.js'

/** Of each family and mode. */
const PACKETS = 10_000

describe('event formation and damaged packets', function () {
  this.timeout(120_000)
  for (const name of damageCases)
    for (const compatible of modesOf(name))
      it(`${name}, ${compatible ? 'compatible' : 'exact'}: are counted, and the next good one is used`, () =>
        damage(name, compatible, PACKETS, name.length * 2 + Number(compatible)))
})
