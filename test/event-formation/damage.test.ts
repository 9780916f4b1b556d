// Damaged packets: none throws, each is counted, and the next good packet counts as if nothing had been.
import assert from 'node:assert/strict'
import { random as randomOf } from '../support/random.js'
import { formationOf, generatedCases, recordedCase } from './cases.js'

/** Of each family and mode. */
const PACKETS = 50_000
const cases = [...generatedCases, 'timepix3']

/** A packet with bytes changed, cut off or added; the header is left alone in most. */
function damaged(packet: Buffer, whole: (below: number) => number): Buffer {
  const kind = whole(100)
  if (kind < 5) return Buffer.from(Array.from({ length: whole(200) }, () => whole(256)))
  const length = kind < 30 ? whole(packet.length + 1) : packet.length
  const copy = Buffer.from(packet.subarray(0, length))
  // A length that is right lets the family see what is left
  if (copy.length >= 8) copy.writeUInt16LE(copy.length, 6)
  const from = whole(20) > 0 ? Math.min(32, copy.length) : 0
  for (let n = whole(8); n > 0 && copy.length > from; n--) copy[from + whole(copy.length - from)] = whole(256)
  return copy
}

/** In compatible mode one bad running number of a camera stops it for good, as it does there. */
describe('event formation and damaged packets', function () {
  this.timeout(120_000)
  for (const name of cases)
    for (const compatible of name === 'timepix3' ? [false] : [false, true])
      it(`${name}, ${compatible ? 'compatible' : 'exact'}: are counted, and the next good one is used`, async () => {
        const recorded = recordedCase(name)
        const { formation, messages } = await formationOf(recorded, compatible)
        const packets = recorded.packets.map((hex) => Buffer.from(hex, 'hex'))
        // A camera needs pulse and trigger before its pixels
        const good = name === 'timepix3' ? packets.slice(4, 7) : packets.slice(0, 1)
        const random = randomOf(name.length * 2 + Number(compatible))
        for (let i = 0; i < PACKETS; i++) {
          formation.packet(damaged(packets[Math.floor((i * packets.length) / PACKETS)]!, random))
          if (messages.length > 1000) messages.length = 0
        }
        assert.equal(formation.counters.get('receive.packets').value, PACKETS)
        formation.end()
        const events = (): number => messages.reduce((sum, one) => sum + one.events, 0)
        messages.length = 0
        for (const packet of good) formation.packet(packet)
        formation.end()
        const after = events()
        const fresh = await formationOf(recorded, compatible)
        for (const packet of good) fresh.formation.packet(packet)
        fresh.formation.end()
        assert.equal(after, fresh.messages.reduce((sum, one) => sum + one.events, 0)) // prettier-ignore
        assert.ok(after > 0)
      })
})
