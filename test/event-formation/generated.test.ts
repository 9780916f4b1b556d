// Generated readouts: what the generator draws is what comes out, for every family; and from a cable to the field's reader, exactly.
import assert from 'node:assert/strict'
import { type GeneratorOptions } from '../../plugins/service-event-formation/generate/packets.js'
import { pointOf } from '../../plugins/service-event-formation/generate/picture.js'
import { familyCounters, generatedCases, generatedPackets, formationOf, readFormed, recordedCase } from './cases.js' // prettier-ignore

const options: GeneratorOptions = { seed: 3, pulses: 3, packets: 4, readouts: 100, loss: 0, startNs: 1_700_000_000_000_000_000n } // prettier-ignore

/** Pixels of the picture by case: columns and rows, and how far off a pixel may be (calibration, roundings). */
const pictures: Readonly<Record<string, readonly [nx: number, ny: number, off: number]>> = {
  'caen-bifrost': [900, 15, 1],
  'caen-tbl3he': [100, 8, 3],
  'caen-miracles': [48, 128, 1]
}

describe('generated readouts', () => {
  for (const name of generatedCases)
    it(`of ${name} are good, all of them`, async () => {
      const recorded = recordedCase(name)
      const { formation, messages } = await formationOf(recorded, false)
      for (const { bytes } of await generatedPackets(recorded, options)) formation.packet(bytes)
      formation.end()
      const counters = familyCounters(formation.counters.values())
      // The header at the end has no readouts; pixel 0 of a monitor counts as an error, and is sent
      const fine = ['parser.readout.errors.no_data', ...(name === 'cbm' ? ['geometry.pixel_errors'] : [])]
      const wrong = Object.keys(counters).filter((key) => /errors|error_|outside|invalid|ampl_/.test(key))
      assert.deepEqual(wrong.filter((key) => !fine.includes(key)), []) // prettier-ignore
      assert.equal(messages.reduce((sum, { events }) => sum + events, 0), 1200 - (formation.counters.get('serialize.cbm4.tof_over_max_dropped').value)) // prettier-ignore
    })

  for (const [name, [nx, ny, off]] of Object.entries(pictures))
    it(`of ${name} make the picture that was drawn`, async () => {
      const recorded = recordedCase(name)
      const { formation, messages } = await formationOf(recorded, false)
      for (const { bytes } of await generatedPackets(recorded, { ...options, packets: 20 })) formation.packet(bytes)
      formation.end()
      const pixels = messages.map(readFormed).flatMap((one) => (one.schema === 'ev44' ? one.pixel : []))
      const drawn = new Set<number>()
      // All that the picture may be: each of its points with its neighbours
      let state = 1
      const random = (): number => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647
      for (let i = 0; i < 200_000; i++) {
        let isFirst = true
        const [u, v] = pointOf(() => {
          const value = isFirst ? 0.1 + 0.9 * random() : random()
          isFirst = false
          return value
        })
        const [x, y] = [Math.floor(u * nx), Math.floor(v * ny)]
        for (let dx = -off; dx <= off; dx++) for (let dy = -1; dy <= 1; dy++) drawn.add((y + dy) * nx + x + dx + 1)
      }
      const inside = pixels.filter((pixel) => drawn.has(pixel)).length / pixels.length
      // A tenth is background
      assert.ok(inside > 0.9, `${inside} of the events are in the picture`)
    })

  it('are the same for the same seed, and others for another', async () => {
    const recorded = recordedCase('cbm')
    const bytes = async (seed: number): Promise<string> =>
      Buffer.concat((await generatedPackets(recorded, { ...options, seed })).map((one) => one.bytes)).toString('base64')
    assert.equal(await bytes(1), await bytes(1))
    assert.notEqual(await bytes(1), await bytes(2))
  })

  it('leave packets out, which are counted as missing', async () => {
    const recorded = recordedCase('caen-loki')
    const { formation } = await formationOf(recorded, false)
    const all = await generatedPackets(recorded, { ...options, packets: 50, loss: 0.1 })
    // The first that comes begins the count
    const from = all.findIndex(({ isLost }) => !isLost)
    for (const { bytes, isLost } of all) if (!isLost) formation.packet(bytes)
    const lost = all.slice(from).filter(({ isLost }) => isLost).length
    assert.ok(lost > 5)
    assert.equal(formation.counters.get('parser.essheader.errors.missing_packets').value, lost)
  })
})
