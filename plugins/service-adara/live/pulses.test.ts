import assert from 'node:assert/strict'
import { type EventRecord, type Vector } from '../../../schemas/index.js'
import { PacketCutter } from '../wire/cut.js'
import { formats } from '../wire/packets.js'
import { PulseGatherer } from './pulses.js'
import { LiveState } from './state.js'

const vector = (dtype: 'int32' | 'int64', values: readonly number[] | readonly bigint[]): Vector => {
  const array = dtype === 'int32' ? Int32Array.from(values as number[]) : BigInt64Array.from(values as bigint[])
  return { dtype, length: values.length, bytes: new Uint8Array(array.buffer) }
}
const record = (times: bigint[], tof: number[], pixel: number[], index = [0]): EventRecord => ({
  source: 's',
  messageId: 1n,
  referenceTime: vector('int64', times),
  referenceTimeIndex: vector('int32', index),
  timeOfFlight: vector('int32', tof),
  pixelId: vector('int32', pixel)
})
const bank = { kind: 'bank', bank: 1 } as const
const T0 = 1_800_000_000_000_000_000n
const S = 1_000_000_000n

interface Sent {
  readonly format: number
  readonly timeNs: bigint
  readonly words: readonly number[]
}

function setUp(more: object = {}): { gatherer: PulseGatherer; sent: Sent[]; losses: Map<string, number> } {
  const sent: Sent[] = []
  const losses = new Map<string, number>()
  const cutter = new PacketCutter(1 << 20)
  const gatherer = new PulseGatherer({
    gatherMs: 100,
    mostPulses: 10,
    energyEv: 0,
    pulseLengthNs: 0,
    send: (packets) => {
      for (const one of packets)
        cutter.push(one, ({ format, timeNs, payload }) => sent.push({ format, timeNs, words: [...new Uint32Array(Uint8Array.from(payload).buffer)] })) // prettier-ignore
    },
    count: (reason, n) => void losses.set(reason, (losses.get(reason) ?? 0) + n),
    ...more
  })
  return { gatherer, sent, losses }
}

describe('pulses of the live stream', () => {
  it('all that belongs to a pulse is one packet, in the order of pulse times, after its time', () => {
    const { gatherer, sent, losses } = setUp()
    gatherer.take(record([T0 + S, T0 + 2n * S], [1000, 2040, 3060], [1, 2, 3], [0, 2]), bank, 0)
    gatherer.take(record([T0], [400], [4]), { kind: 'bank', bank: 2 }, 50)
    gatherer.take(record([T0 + S], [500], [5]), { kind: 'monitor', monitor: 3 }, 60)
    gatherer.charge({ source: 's', messageId: 1n, timestampNs: T0 + S, vetos: 5, period: 0, protonCharge: 1e-6 }, 70)
    gatherer.tick(99)
    assert.equal(sent.length, 0)
    gatherer.tick(100)
    assert.deepEqual(sent.map(({ format, timeNs }) => [format, timeNs]), [[formats.bankedEvents, T0], [formats.bankedEvents, T0 + S], [formats.monitorEvents, T0 + S], [formats.bankedEvents, T0 + 2n * S]]) // prettier-ignore
    assert.deepEqual(sent[1]?.words, [360, 0, 1, 5 << 20, 1, 0, 0x80000000, 1, 1, 2, 10, 1, 20, 2])
    assert.deepEqual(sent[2]?.words, [360, 0, 1, 5 << 20, ((3 << 22) | 1) >>> 0, 3, 0x80000000, (0x80000000 | (1 << 21) | 5) >>> 0]) // prettier-ignore
    assert.deepEqual([gatherer.pulses, gatherer.events, gatherer.waiting, losses.size], [3, 5, 0, 0])
  })

  it('what comes late goes by itself and is counted, without a charge', () => {
    const { gatherer, sent, losses } = setUp()
    gatherer.charge({ source: 's', messageId: 1n, timestampNs: T0, vetos: 0, period: 0, protonCharge: 1 }, 0)
    gatherer.tick(100)
    gatherer.take(record([T0], [100], [1]), bank, 150)
    gatherer.tick(250)
    assert.deepEqual(sent.map(({ words }) => words[0]), [360_000_000, 0]) // prettier-ignore
    assert.deepEqual(Object.fromEntries(losses), { late: 1 })
  })

  it('ids and times that are none are left out, and indices that point nowhere', () => {
    const { gatherer, losses } = setUp()
    gatherer.take(record([T0], [-500, 7, 100], [1, -2, 3]), bank, 0)
    gatherer.take(record([T0], [300_000_000], []), { kind: 'monitor', monitor: 1 }, 0)
    gatherer.take(record([T0 + S], [1], [1], [2]), bank, 0)
    gatherer.take(record([T0 + S], [1], [1], [-1]), bank, 0)
    // Two before the first pulse
    gatherer.take(record([T0 + S], [1, 1], [1, 1], [2]), bank, 0)
    gatherer.flush()
    assert.deepEqual(Object.fromEntries(losses), { out_of_range: 3, pulse_index: 4 })
    assert.equal(gatherer.events, 1)
  })

  it('times that the wire cannot say end nothing: their events are counted, and the others go on', () => {
    const { gatherer, sent, losses } = setUp()
    const far = (631_152_000n + 2n ** 32n) * S
    gatherer.take(record([T0, -7n, 5n, far, T0 + S], [100, 200, 300, 400, 500], [1, 2, 3, 4, 5], [0, 1, 2, 3, 4]), bank, 0) // prettier-ignore
    gatherer.charge({ source: 's', messageId: 1n, timestampNs: 1n, vetos: 0, period: 0, protonCharge: 1 }, 0)
    gatherer.tick(100)
    assert.deepEqual(sent.map(({ timeNs }) => timeNs), [T0, T0 + S]) // prettier-ignore
    assert.deepEqual(Object.fromEntries(losses), { pulse_time: 4 })
    assert.equal(gatherer.events, 2)
    const state = new LiveState({ station: 1, id: '', short: 'X', long: 'X' }, '<x/>', () => T0)
    state.value({ source: 'T', timeNs: -5n, content: 1 })
    const times: bigint[] = []
    new PacketCutter(1 << 20).push(Buffer.concat(state.greeting()), ({ timeNs }) => times.push(timeNs))
    assert.deepEqual(new Set(times), new Set([T0, 631_152_000n * S]))
  })

  it('one message of many pulses: no more wait than may', () => {
    const { gatherer, sent } = setUp({ mostPulses: 10 })
    const times = Array.from({ length: 1000 }, (_, i) => T0 + BigInt(i) * S)
    gatherer.take(record(times, [1], [1], times.map(() => 0)), bank, 0) // prettier-ignore
    assert.deepEqual([gatherer.waiting, sent.length, sent.at(-1)?.timeNs], [10, 990, T0 + 989n * S])
  })

  it('a source that sends values again is not gone any more', () => {
    const state = new LiveState({ station: 1, id: '', short: 'X', long: 'X' }, '<x/>', () => T0)
    const alarms: number[] = []
    const hear = (packets: readonly Buffer[] = []): void =>
      new PacketCutter(1 << 20).push(Buffer.concat(packets), ({ format, payload }) => {
        if (format === formats.double) alarms.push(payload.readUInt32LE(8))
      })
    const alarm = { status: 3, severity: 2 }
    hear(state.value({ source: 'T', timeNs: T0, content: 1, alarm }))
    hear(state.value({ source: 'T', timeNs: T0, content: 2 }))
    hear(state.disconnected('T', T0))
    hear(state.value({ source: 'T', timeNs: T0, content: 3 }))
    assert.deepEqual(alarms, [0x00030002, 0x00030002, 0xfffe0003, 0])
  })

  it('no more sources than may become variables', () => {
    const state = new LiveState({ station: 1, id: '', short: 'X', long: 'X' }, '<x/>', () => T0, 2)
    for (const source of ['a', 'b']) state.value({ source, timeNs: T0, content: 1 })
    assert.deepEqual(['a', 'b', 'c'].map((source) => state.hasRoomFor(source)), [true, true, false]) // prettier-ignore
  })

  it('a packet that comes in many pieces is what it was, also with others before and behind', () => {
    const state = new LiveState({ station: 1, id: '', short: 'X', long: 'X' }, 'x'.repeat(1 << 24), () => T0)
    const bytes = Buffer.concat([...state.heartbeat(), ...state.greeting(), ...state.heartbeat()])
    const heard: string[] = []
    const cutter = new PacketCutter(1 << 25)
    for (let at = 0; at < bytes.length; at += 1000)
      cutter.push(bytes.subarray(at, at + 1000), ({ format, payload }) => heard.push(`${format.toString(16)} ${payload.length}`)) // prettier-ignore
    assert.deepEqual(heard, ['400900 0', '400b01 8', `400a00 ${4 + (1 << 24)}`, '400300 12', '400900 0'])
  }).timeout(30_000)

  it('a day of pulses: all are sent, in order, and no more wait than may', () => {
    const { gatherer, sent } = setUp({ mostPulses: 50 })
    const state = new LiveState({ station: 1, id: '', short: 'X', long: 'X' }, '<x/>', () => T0)
    let most = 0
    let packets = 0
    for (let second = 0; second < 86_400; second++) {
      const time = T0 + BigInt(second) * S
      // Messages of two pulses come in turns
      gatherer.take(record([second % 2 === 0 ? time + S : time - S], [100, 200], [1, 2]), bank, second * 1000)
      gatherer.tick(second * 1000 - 500)
      if (second % 3600 === 0) packets += state.begin({ number: 1 + second / 3600, startNs: time, title: '' }).length
      packets += state.value({ source: 'T', timeNs: time, content: second })?.length ?? 0
      most = Math.max(most, gatherer.waiting)
    }
    gatherer.flush()
    assert.deepEqual([gatherer.pulses, gatherer.events, sent.length], [86_400, 172_800, 86_400])
    assert.ok(sent.every(({ timeNs }, i) => i === 0 || timeNs > (sent[i - 1]?.timeNs ?? 0n)))
    assert.equal(sent.at(-1)?.timeNs, T0 + 86_399n * S)
    assert.ok(most <= 50, String(most))
    assert.ok(packets > 86_400)
    assert.deepEqual([state.run?.number, state.variables], [24, 1])
  })
})
