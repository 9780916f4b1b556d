// Each recorded case in compatible mode: the same messages in the same order, the same counters; and in exact mode what differs, listed.
import assert from 'node:assert/strict'
import { type EventMessage, familyCounters, formationOf, type Formed, readFormed, recordedCase } from './cases.js'

const names = ['cbm', 'cbm-beer']

interface Difference {
  /** Counters with their values there. */
  readonly counters: Readonly<Record<string, number>>
  /** Events, as `source pixel time since 1970`, that are there only, and those that are not there. */
  readonly more: readonly string[]
  readonly fewer: readonly string[]
}

/** What is other in exact mode, by case. */
const differing: Readonly<Record<string, Difference>> = {
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
  'cbm-beer': { counters: {}, more: [], fewer: [] }
}

describe('event formation, recorded cases', () => {
  for (const name of names) {
    it(`${name}: compatible, as the field's program does it`, async () => {
      const recorded = recordedCase(name)
      const { formation, messages } = await formationOf(recorded, true)
      for (const packet of recorded.packets) formation.packet(Buffer.from(packet, 'hex'))
      assert.deepEqual(messages.filter(({ kind }) => kind === 'events').map(readFormed), recorded.messages)
      assert.deepEqual(familyCounters(formation.counters.values()), familyCounters(recorded.counters))
    })

    it(`${name}: exact, but for what is listed`, async () => {
      const recorded = recordedCase(name)
      const { formation, messages } = await formationOf(recorded, false)
      for (const packet of recorded.packets) formation.packet(Buffer.from(packet, 'hex'))
      formation.end()
      const { counters, more, fewer } = differing[name]!
      const made = messages.filter(({ kind }) => kind === 'events').map(readFormed)
      const all = familyCounters(formation.counters.values())
      const before = familyCounters(recorded.counters)
      const other = Object.fromEntries(
        [...new Set([...Object.keys(all), ...Object.keys(before)])]
          .filter((key) => all[key] !== before[key])
          .map((key) => [key, all[key] ?? 0])
      )
      assert.deepEqual(other, counters)
      assert.deepEqual(without(absolute(made), absolute(recorded.messages)), more)
      assert.deepEqual(without(absolute(recorded.messages), absolute(made)), fewer)
      const histograms = arrays(recorded.messages)
      assert.deepEqual(arrays(made).slice(0, histograms.length), histograms)
    })
  }
})

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
