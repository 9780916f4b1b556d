// Other files while packets come: from the next pulse on, nothing lost, and what was given before is kept.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Formed, filesOfCase, families, formationOf, generatedPackets, readFormed, recordedCase } from './cases.js'
import { type ReadoutPart } from '../../plugins/service-event-formation/readout-kit.js'
import { LiveFormation } from './live.js'

const START_NS = 1_700_000_000_000_000_000n
const sent = { seed: 3, pulses: 4, packets: 5, readouts: 40, loss: 0, startNs: START_NS } as const

const bifrost = recordedCase('caen-bifrost')
/** No position is in a tube of this one. */
function blind(): Record<string, unknown> {
  const { Calibration } = structuredClone(bifrost.calibration) as { Calibration: { Parameters: { intervals: unknown[] }[] } } // prettier-ignore
  for (const group of Calibration.Parameters)
    group.intervals = group.intervals.map((_, i) => [i * 1e-4, i * 1e-4 + 1e-5])
  return { Calibration }
}

const eventsOf = (messages: readonly Formed[], pulse: bigint): number =>
  messages.reduce((sum, one) => sum + (one.schema === 'ev44' && one.times[0] === String(pulse) ? one.tof.length : 0), 0)

describe('other files of a detector', () => {
  const blindFiles = async () => {
    const part = (await families()).readout('bifrost') as ReadoutPart
    return { ...filesOfCase(bifrost, part), calibration: blind() }
  }

  it('come with the next pulse, and cost no event of this one', async () => {
    const packets = (await generatedPackets(bifrost, sent)).map(({ bytes }) => bytes)
    const plain = await formationOf(bifrost, false)
    plain.feed(packets)
    plain.formation.end()
    const { formation, feed, messages } = await formationOf(bifrost, false)
    feed(packets.slice(0, 7))
    formation.reload(await blindFiles())
    feed(packets.slice(7))
    formation.end()
    const [all, some] = [plain.messages.map(readFormed), messages.map(readFormed)]
    const pulses = [...new Set(all.flatMap((one) => (one.schema === 'ev44' ? one.times : [])))].map(BigInt)
    assert.equal(pulses.length, 4)
    for (const [i, pulse] of pulses.entries()) assert.equal(eventsOf(some, pulse), i < 2 ? eventsOf(all, pulse) : 0)
    const { 'geometry.outside_tube': outside, 'events.count': events } = formation.counters.values()
    assert.equal(outside! + events!, plain.formation.counters.values()['events.count'])
  })

  it('hold for the first pulse when none has come yet', async () => {
    const packets = (await generatedPackets(bifrost, sent)).map(({ bytes }) => bytes)
    const { formation, feed, messages } = await formationOf(bifrost, false)
    formation.reload(await blindFiles())
    feed(packets)
    formation.end()
    assert.equal(messages.length, 0)
  })

  it('come also to a camera whose events go with the pulse that is there when they are sent', async () => {
    const recorded = recordedCase('timepix3')
    const part = (await families()).readout('timepix3') as ReadoutPart
    const { config, calibration } = filesOfCase(recorded, part)
    const { formation, feed } = await formationOf(recorded, true)
    const packets = recorded.packets.map((hex) => Buffer.from(hex, 'hex'))
    feed(packets)
    const { 'handlers.pixelevent.cluster_size_to_small': before = 0 } = formation.counters.values()
    formation.reload({ config: { ...config, MinEventSizeHits: 1000 }, calibration })
    feed(packets)
    feed(packets)
    const { 'handlers.pixelevent.cluster_size_to_small': after = 0 } = formation.counters.values()
    assert.ok(after > 2 * before, `${before} ${after}`)
  })

  it('are kept when others change, and read again by the name that was given last', async () => {
    const calibration = filesOfCase(bifrost, (await families()).readout('bifrost') as ReadoutPart).calibration
    const live = await LiveFormation.open(
      ({ names, ports }) => `[services.event_formation.detectors.arcs]
family = "bifrost"
topic = "${names.events}"
host = "127.0.0.1"
port = ${ports[0]}
config_file = "bifrost.json"
calibration_file = "good.json"
`,
      { 'bifrost.json': bifrost.config, 'good.json': calibration, 'other.json': blind() }
    )
    try {
      await live.up()
      const config = async (keys: Record<string, unknown>): Promise<string> => {
        const reply = await live.command('config', keys)
        const [error] = (reply['errors'] ?? []) as { code: string; path?: string }[]
        return error === undefined ? String(reply['status']) : `${error.code} ${error.path ?? ''}`
      }
      assert.equal(await config({}), 'COMMAND_INVALID /')
      assert.equal(await config({ raw_only: true, config: { Detector: 'bifrost' } }), 'COMMAND_INVALID /raw_only')
      assert.equal(await config({ calibration_file: 'other.json' }), '200')
      assert.equal(await config({ config_file: 'bifrost.json' }), '200')
      const packets = (await generatedPackets(bifrost, { ...sent, pulses: 1 })).map(({ bytes }) => bytes)
      await live.send(packets)
      const counted = async (packets: number): Promise<Record<string, number>> => {
        await live.snapshot('the packets', ({ detectors }) => detectors['arcs']?.['packets'] === packets)
        const { result } = await live.command('status', { job_id: 'arcs' })
        return (result as { counters: Record<string, number> }).counters
      }
      assert.equal((await counted(6))['events.count'], undefined)

      writeFileSync(join(live.opened.folder, 'other.json'), JSON.stringify(calibration))
      writeFileSync(join(live.opened.folder, 'good.json'), JSON.stringify(blind()))
      assert.equal(await config({ reload: true }), '200')
      const later = await generatedPackets(bifrost, { ...sent, pulses: 1, startNs: START_NS + 1_000_000_000n })
      await live.send(later.map(({ bytes }) => bytes))
      assert.ok((await counted(12))['events.count']! > 0)
    } finally {
      assert.equal(await live.close(), 0)
    }
  })
})
