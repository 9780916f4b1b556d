// Readouts that are formed in one loop come out as those that are looked at one by one, whatever is wrong between them.
import assert from 'node:assert/strict'
import { type CaenReadout } from '../../plugins/readout-caen/readout.js'
import { Formation } from '../../plugins/service-event-formation/form/formation.js'
import { seeded } from '../../plugins/service-event-formation/generate/picture.js'
import { type ReadoutPart } from '../../plugins/service-event-formation/readout-kit.js'
import { families, filesOfCase, generatedPackets, recordedCase } from './cases.js'

const READOUTS_AT = 32
type Loop = NonNullable<CaenReadout['geometry']['usual']>

describe('readouts of LOKI in one loop', () => {
  for (const compatible of [false, true])
    it(`are those that are formed one by one${compatible ? ', compatible' : ''}`, async () => {
      const recorded = recordedCase('caen-loki')
      const part = (await families()).readout(recorded.family) as ReadoutPart
      let usual = 0
      /** The family with another loop in place of its own. */
      const withLoop = (change: (its: Loop) => Loop): ReadoutPart =>
        Object.create(part, {
          open: {
            value: (...args: Parameters<ReadoutPart['open']>) => {
              const readout = part.open(...args) as CaenReadout
              const { geometry } = readout
              Object.assign(geometry, { usual: change(geometry.usual!.bind(geometry)) })
              return readout
            }
          }
        }) as ReadoutPart
      const careful = withLoop(() => () => 0)
      const counted = withLoop((its) => (...args) => {
        const count = its(...args)
        usual += count
        return count
      })
      const options = { seed: 3, pulses: 4, packets: 50, readouts: 372, loss: 0, startNs: 1_700_000_000_990_000_000n }
      const random = seeded(5)
      const packets = (await generatedPackets(recorded, options)).map(({ bytes }) => {
        const changed = Uint8Array.from(bytes)
        const damages = changed.length > READOUTS_AT ? Math.floor(random() * 60) : 0
        for (let i = 0; i < damages; i++)
          changed[READOUTS_AT + Math.floor(random() * (changed.length - READOUTS_AT))] = Math.floor(random() * 256)
        return changed
      })
      const formed = [careful, counted].map((one) => {
        const messages: [string, number, string][] = []
        const formation = new Formation(
          one,
          filesOfCase(recorded, part),
          { name: 'loki', compatible, schema: 'ev44', rawEvery: 0, rawConsecutive: 0 },
          ({ source, events, value }) => messages.push([source, events, Buffer.from(value).toString('base64')])
        )
        for (const packet of packets) formation.packet(packet)
        formation.end()
        return { messages, counters: formation.counters.all() }
      })
      const counters = formed[0]!.counters
      assert.deepEqual(formed[1], formed[0])
      assert.ok(usual > counters['events.count']! / 2, `${usual} of ${counters['events.count']}`)
      assert.ok(counters['geometry.validation_errors']! > 0)
    })
})
