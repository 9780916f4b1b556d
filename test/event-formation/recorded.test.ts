// Each recorded case in compatible mode: the same messages in the same order, the same counters; and in exact mode what differs, listed.
import assert from 'node:assert/strict'
import { decodeJson } from '../../schemas/index.js'
import { type EventMessage, familyCounters, formationOf, type Formed, readFormed, recordedCase } from './cases.js'

const names = ['cbm', 'cbm-beer', 'caen-loki', 'caen-bifrost', 'caen-tbl3he', 'caen-miracles', 'caen-cspec', 'cdt-dream', 'cdt-magic', 'vmm-freia', 'vmm-freia-calibrated', 'vmm-freia-split', 'vmm-estia', 'vmm-tblmb-amor', 'vmm-nmx', 'vmm-trex', 'timepix3', 'timepix3-17s', 'header', 'ar51-sampling'] as const // prettier-ignore

interface Difference {
  /** Counters with their values there. */
  readonly counters: Readonly<Record<string, number>>
  /** Events, as `source pixel time since 1970`, that are there only, and those that are not there; of many their number. */
  readonly more: readonly string[] | number
  readonly fewer: readonly string[] | number
}

/** What is other in exact mode, by case. */
const none: Difference = { counters: {}, more: [], fewer: [] }
/** One event before the pulse goes to the pulse before. */
const oneMoved: Difference = { counters: {}, more: 1, fewer: 1 }
const differing: Readonly<Record<(typeof names)[number], Difference>> = {
  cbm: {
    // The readout of type 9 is passed over, and the two behind it are read
    counters: {
      'events.event0d': 93,
      'events.timestamp.tof.count': 285,
      'parser.readout.count.0d': 97,
      'parser.readout.errors.type': 1,
      'readouts.processed': 286
    },
    more: ['cbm2 7 1700000000500056761', 'cbm2 7 1700000000500056761'],
    fewer: []
  },
  'cbm-beer': none,
  // One before the pulse goes to the pulse before, where its time is right
  'caen-loki': { counters: {}, more: ['caen 1799 1700000000214280026'], fewer: ['caen 1799 1700000000285708594'] },
  'caen-bifrost': none,
  // Two readouts of a ring and FEN that are not configured
  'caen-tbl3he': {
    counters: {
      'events.count': 194,
      'events.timestamp.tof.count': 203,
      'geometry.topology_errors': 3,
      'geometry.validation_errors': 8
    },
    more: [],
    fewer: ['bank0 50 1700000000142860543', 'bank1 450 1700000000142860543']
  },
  'caen-miracles': none,
  'caen-cspec': none,
  // Ring 11 and FEN 11 are read; one event before the pulse goes to the pulse before
  'cdt-dream': {
    counters: {
      'bwec.geometry.cassette_id_errors': 66,
      'events.count': 776,
      'events.timestamp.tof.count': 921,
      'geometry.config_errors': 2,
      'geometry.pixel_errors': 146,
      'geometry.validation_errors': 2
    },
    more: 39,
    fewer: 1
  },
  // Those of the polarisation analysis that have no pixel
  'cdt-magic': { counters: { 'events.count': 259, 'geometry.pixel_errors': 141 }, more: [], fewer: 69 },
  'vmm-freia': oneMoved,
  'vmm-freia-calibrated': oneMoved,
  'vmm-freia-split': none,
  'vmm-estia': oneMoved,
  'vmm-tblmb-amor': oneMoved,
  // The place is where the track begins, and not where it is first seen
  'vmm-nmx': { counters: {}, more: 56, fewer: 56 },
  'vmm-trex': {
    // Those that are still held at the end, and all with their own pulse
    counters: {
      'cluster.matched_clusters': 96,
      'cluster.too_large_grid_span': 32,
      'events.count': 96,
      'events.timestamp.prevtof.count': 0,
      'events.timestamp.tof.count': 96,
      'events.timestamp.tof.negative': 0
    },
    more: 30,
    fewer: 19
  },
  // The time of the pulse is not rounded
  timepix3: { counters: {}, more: 22, fewer: 22 },
  'timepix3-17s': none,
  header: none,
  'ar51-sampling': none
}

describe('event formation, recorded cases', () => {
  for (const name of names) {
    it(`${name}: compatible, as the field's program does it`, async () => {
      const recorded = recordedCase(name)
      const { formation, messages, feed } = await formationOf(recorded, true)
      feed(recorded.packets.map((packet) => Buffer.from(packet, 'hex')))
      assert.deepEqual(messages.filter(({ kind }) => kind === 'events').map(readFormed), recorded.messages)
      assert.deepEqual(familyCounters(formation.counters.values()), familyCounters(recorded.counters))
    })

    it(`${name}: exact, but for what is listed`, async () => {
      const recorded = recordedCase(name)
      const { formation, messages, feed } = await formationOf(recorded, false)
      feed(recorded.packets.map((packet) => Buffer.from(packet, 'hex')))
      formation.end()
      const { counters, more, fewer } = differing[name]
      const made = messages.filter(({ kind }) => kind === 'events').map(readFormed)
      const all = familyCounters(formation.counters.values())
      const before = familyCounters(recorded.counters)
      const other = Object.fromEntries(
        [...new Set([...Object.keys(all), ...Object.keys(before)])]
          .filter((key) => all[key] !== before[key])
          .map((key) => [key, all[key] ?? 0])
      )
      assert.deepEqual(other, counters)
      assert.deepEqual(listOr(more, without(absolute(made), absolute(recorded.messages))), more)
      assert.deepEqual(listOr(fewer, without(absolute(recorded.messages), absolute(made))), fewer)
      const histograms = arrays(recorded.messages)
      assert.deepEqual(arrays(made).slice(0, histograms.length), histograms)
    })
  }
})

describe('event formation, what each packet adds', () => {
  it('to the counters of the header', async () => {
    const { rises = [], ...recorded } = recordedCase('header')
    const { formation } = await formationOf(recorded, true)
    let before: Record<string, number> = {}
    for (const [i, packet] of recorded.packets.entries()) {
      formation.packet(Buffer.from(packet, 'hex'))
      const now = familyCounters(formation.counters.values())
      const rise = Object.entries(now).filter(([name, n]) => n !== (before[name] ?? 0)).map(([name, n]) => [name, n - (before[name] ?? 0)]) // prettier-ignore
      assert.deepEqual(Object.fromEntries(rise), familyCounters(rises[i] ?? {}), `packet ${i}`)
      before = now
    }
  })

  it('to the raw copies', async () => {
    const recorded = recordedCase('ar51-sampling')
    const { formation, messages } = await formationOf(recorded, true)
    for (const packet of recorded.packets) formation.packet(Buffer.from(packet, 'hex'))
    const copies = messages.filter(({ kind }) => kind === 'raw').map(({ value }) => decodeJson(value).message)
    const read = copies.map((copy) => ({
      id: Number(copy['message_id']),
      data: Buffer.from(copy['raw_data'] as number[]).toString('hex')
    }))
    assert.deepEqual(read, recorded.copies)
    assert.equal(copies[0]?.['source_name'], 'loki')
  })

  it('of FREIA at a date of today: as many in exact mode, fewer where times are rounded', async () => {
    const recorded = recordedCase('vmm-freia')
    // From 17 s after 1970 to 2023
    const later = 1_700_000_000
    const packets = recorded.packets.map((hex) => {
      const packet = Buffer.from(hex, 'hex')
      const shift = (at: number): number => packet.writeUInt32LE(packet.readUInt32LE(at) + later, at)
      shift(10)
      shift(18)
      for (let at = 32; at + 8 <= packet.length; at += 20) shift(at + 4)
      return packet
    })
    const events = async (compatible: boolean): Promise<number> => {
      const { formation } = await formationOf(recorded, compatible)
      for (const packet of packets) formation.packet(packet)
      return formation.counters.get('events.count').value
    }
    assert.deepEqual([await events(false), await events(true)], [72, 69])
  })

  it('for a sequence that breaks: how many are missing, and which came late', async () => {
    const recorded = recordedCase('header')
    const { formation } = await formationOf(recorded, false)
    const packet = Buffer.from(recorded.packets[0] ?? '', 'hex')
    for (const number of [7, 8, 12, 10, 13, 0xffff_ffff, 0, 1]) {
      packet.writeUInt32LE(number, 26)
      formation.packet(packet)
    }
    const counters = formation.counters.values()
    // 9, 10, 11 are missing at 12; 10 is late, and so is one of before the wrap; then the sender began anew
    assert.equal(counters['parser.essheader.errors.missing_packets'], 3)
    assert.equal(counters['parser.essheader.errors.late_packets'], 2)
    assert.equal(counters['parser.essheader.errors.seqno'], 4)
  })
})

const listOr = (wanted: readonly string[] | number, list: string[]): string[] | number =>
  typeof wanted === 'number' ? list.length : list

/** Source and pixel of each event with its time since 1970. */
function absolute(messages: readonly Formed[]): string[] {
  const events = messages.filter((one): one is EventMessage => one.schema === 'ev44')
  return events
    .flatMap(({ source, times, tof, pixel }) =>
      tof.map((ns, i) => `${source} ${pixel[i]} ${BigInt(times[0]!) + BigInt(ns)}`)
    )
    .toSorted()
}

/** Histograms, without the offsets of their pulses: these begin anew with each message in exact mode. */
function arrays(messages: readonly Formed[]): Formed[] {
  return messages.flatMap((one) =>
    one.schema === 'da00' ? { ...one, variables: one.variables.filter(({ name }) => name !== 'reference_time') } : []
  )
}

/** Those of the first that the second has fewer of. */
function without(all: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>()
  for (const one of others) left.set(one, (left.get(one) ?? 0) + 1)
  return all.filter((one) => {
    const n = left.get(one) ?? 0
    left.set(one, n - 1)
    return n <= 0
  })
}
