// Damaged packets for a family: none may throw, each is counted, and the next good one counts as if nothing had been.
import assert from 'node:assert/strict'
import { encodeMessage } from '../../schemas/index.js'
import { random as randomOf } from '../support/random.js'
import { formationOf, generatedCases, recordedCase, type RecordedCase } from './cases.js'

export const damageCases = [...generatedCases, 'adc', 'udp']

/** In compatible mode one bad running number of a camera stops it for good, as it does there; the last two have one mode. */
export const modesOf = (name: string): readonly boolean[] =>
  ['timepix3', 'adc', 'udp'].includes(name) ? [false] : [false, true]

function caseOf(name: string): RecordedCase {
  if (name === 'udp') {
    const list = Uint8Array.from({ length: 40 }, (_, i) => i)
    const vector = { dtype: 'int32', length: 10, bytes: list } as const
    const value = encodeMessage('ev44', { source_name: 'detector', message_id: 1, reference_time: [1n], reference_time_index: [0], time_of_flight: vector, pixel_id: vector }) // prettier-ignore
    return { family: 'udp', config: {}, packets: [value.toString('hex')], messages: [], counters: {} }
  }
  const recorded = recordedCase(name)
  return name === 'adc' ? { ...recorded, config: { peak_detection: true } } : recorded
}

/** Those that make events at once; a camera needs pulse and trigger before its pixels. */
const goodOf = (name: string, packets: readonly Buffer[]): readonly Buffer[] =>
  name === 'timepix3' ? packets.slice(4, 7) : name === 'vmm-trex' ? packets.slice(0, 2) : packets.slice(0, 1)

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

/** Gives a family so many damaged packets, then good ones. Throws what is wrong. */
export async function damage(name: string, compatible: boolean, count: number, seed: number): Promise<void> {
  const recorded = caseOf(name)
  const { formation, messages } = await formationOf(recorded, compatible)
  const packets = recorded.packets.map((hex) => Buffer.from(hex, 'hex'))
  const good = goodOf(name, packets)
  const random = randomOf(seed)
  for (let i = 0; i < count; i++) {
    formation.packet(damaged(packets[Math.floor((i * packets.length) / count)]!, random))
    if (messages.length > 1000) messages.length = 0
  }
  assert.equal(formation.counters.get('receive.packets').value, count)
  formation.end()
  const eventsOf = async (one: typeof formation, list: typeof messages): Promise<number> => {
    list.length = 0
    for (const packet of good) one.packet(packet)
    one.end()
    return Promise.resolve(list.reduce((sum, { events }) => sum + events, 0))
  }
  const after = await eventsOf(formation, messages)
  const fresh = await formationOf(recorded, compatible)
  assert.equal(after, await eventsOf(fresh.formation, fresh.messages))
  assert.ok(after > 0)
}
