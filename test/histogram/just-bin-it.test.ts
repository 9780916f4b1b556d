// Where just-bin-it's counts fall: facts of recorded exchanges with the real program, but for its faults.
import assert from 'node:assert/strict'
import { encodeMessage } from '../../schemas/index.js'
import { events, type Info, Live, type Pulse, T0 } from './live.js'
import { Peer } from './peer.js'

const second = (n: number): bigint => T0 + BigInt(n) * 1_000_000_000n
const ones = (n: number): number[] => Array.from({ length: n }, () => 1)

interface Case {
  readonly name: string
  readonly histogram: object
  readonly command?: object
  readonly pulses: readonly (Pulse | Buffer)[]
  readonly sum: number
  readonly shape: readonly number[]
  readonly dtype: string
  readonly data: unknown
  readonly edges: readonly (readonly number[])[]
}

const edges = [0, 20, 40, 60, 80, 100]
const hist1d = { type: 'hist1d', tof_range: [0, 100], num_bins: 5 }

const twoPulses = encodeMessage('ev44', {
  ...{ source_name: 'bank0', message_id: 1n, reference_time: [T0, second(1)], reference_time_index: [0, 2] },
  ...{ time_of_flight: [10, 30, 50], pixel_id: [1, 2, 3] }
})

/** What went in and what came out of the real program. */
const cases: readonly Case[] = [
  {
    name: 'hist1d: half open bins, the last with its upper edge',
    histogram: hist1d,
    pulses: [{ tof: [-1, 0, 1, 19, 20, 21, 39, 40, 60, 80, 99, 100, 101, 2_000_000_000], pixel: ones(14) }],
    ...{ sum: 11, shape: [5], dtype: 'int64', data: [3, 3, 1, 1, 3], edges: [edges] }
  },
  {
    // The real one turned double with the first data
    name: 'hist1d with det_range: both ends count',
    histogram: { ...hist1d, det_range: [10, 20] },
    pulses: [{ tof: [5, 25, 45, 65, 85, 95], pixel: [9, 10, 15, 20, 21, 20] }],
    ...{ sum: 4, shape: [5], dtype: 'int64', data: [0, 1, 1, 1, 1], edges: [edges] }
  },
  {
    name: 'hist2d: [time, pixel]',
    histogram: { type: 'hist2d', tof_range: [0, 100], num_bins: [4, 2], det_range: [0, 10] },
    pulses: [{ tof: [0, 24, 25, 50, 75, 100, 100, 10], pixel: [0, 4, 5, 9, 10, 10, 11, -1] }],
    ...{ sum: 6, shape: [4, 2], dtype: 'float64' },
    data: [
      [2, 0],
      [0, 1],
      [0, 1],
      [0, 2]
    ],
    edges: [
      [0, 25, 50, 75, 100],
      [0, 5, 10]
    ]
  },
  {
    name: 'dethist: x first, the second of det_range and tof_range without effect',
    histogram: {
      type: 'dethist',
      det_range: [1, 999],
      width: 4,
      height: 3,
      tof_range: [5, 6],
      num_bins: 50,
      left_edges: []
    },
    pulses: [
      { tof: [0, 0, 0, 0, 0, 0, 0, 0, 0], pixel: [0, 1, 2, 4, 5, 12, 12, 13, 14] },
      { time: second(1), tof: [0, 0, 0], pixel: [12, 11, 1] }
    ],
    ...{ sum: 9, shape: [4, 3], dtype: 'float64' },
    data: [
      [2, 1, 0],
      [1, 0, 0],
      [0, 0, 1],
      [1, 0, 3]
    ],
    edges: [
      [0, 1, 2, 3, 4],
      [0, 1, 2, 3]
    ]
  },
  {
    name: 'roihist: rows of pixels',
    histogram: { type: 'roihist', left_edges: [7, 12], width: 3 },
    pulses: [{ tof: Array.from({ length: 12 }, () => 0), pixel: [6, 7, 8, 9, 10, 11, 12, 13, 14, 14, 15, 16] }],
    ...{
      sum: 7,
      shape: [3, 2],
      dtype: 'float64',
      data: [
        [1, 1],
        [1, 1],
        [1, 2]
      ],
      edges: [
        [0, 1, 2],
        [0, 1]
      ]
    }
  },
  {
    name: 'ev42 into hs00 when nothing is said; ev44 is passed over then',
    histogram: hist1d,
    command: { input_schema: undefined, output_schema: undefined },
    pulses: [
      { schema: 'ev42', tof: [0, 20, 100, 101], pixel: [1, 2, 3, 4] },
      { tof: [50], pixel: [1] },
      { schema: 'ev42', time: second(1), tof: [50], pixel: [1] }
    ],
    ...{ sum: 4, shape: [5], dtype: 'uint64', data: [1, 1, 1, 0, 1], edges: [edges] }
  },
  {
    name: 'one source, between messages of others and broken ones',
    histogram: { ...hist1d, source: 'bank0' },
    pulses: [
      { source: 'bank1', tof: [10, 20], pixel: [1, 2] },
      Buffer.alloc(0),
      encodeMessage('f144', { source_name: 'bank0', timestamp: T0, value: { type: 'Double', value: { value: 1 } } }),
      { schema: 'ev42', source: 'bank0', tof: [10], pixel: [1] },
      twoPulses,
      { source: 'bank0', time: second(1), tof: [70], pixel: [1] }
    ],
    ...{ sum: 4, shape: [5], dtype: 'int64', data: [1, 1, 1, 1, 0], edges: [edges] }
  },
  {
    // The real one gives numpy the pair, which takes it for the edges
    name: 'hist1d with a pair of bins: the pair is the edges of one',
    histogram: { ...hist1d, num_bins: [10, 50] },
    pulses: [{ tof: [9, 10, 30, 50, 51], pixel: ones(5) }],
    ...{ sum: 3, shape: [1], dtype: 'int64', data: [3], edges: [[10, 50]] }
  },
  {
    name: 'unsigned numbers of ev42, pixels and times above 2^31',
    histogram: { type: 'hist1d', tof_range: [0, 4_000_000_000], num_bins: 4, det_range: [0, 4_294_967_295] },
    command: { input_schema: 'ev42' },
    pulses: [{ schema: 'ev42', tof: [0, 999_999_999, 2_999_999_999, 3_000_000_000, 4_000_000_000, 4_000_000_001], pixel: [0, 1, 2 ** 31, 2 ** 32 - 1, 5, 6] }], // prettier-ignore
    ...{ sum: 5, shape: [4], dtype: 'int64', data: [2, 0, 1, 2], edges: [[0, 1e9, 2e9, 3e9, 4e9]] }
  },
  {
    name: 'signed numbers of ev44: what is negative lies outside',
    histogram: { type: 'dethist', det_range: [0, 9], width: 2, height: 2, tof_range: [0, 4_294_967_295] },
    pulses: [{ tof: [-1, -5, 3], pixel: [0, -1, 3] }],
    ...{ sum: 2, shape: [2, 2], dtype: 'float64', data: [[1, 0], [0, 1]], edges: [[0, 1, 2], [0, 1, 2]] } // prettier-ignore
  },
  {
    name: 'roihist: rows without a gap, into hs00',
    histogram: { type: 'roihist', left_edges: [1, 3, 5], width: 2 },
    command: { output_schema: 'hs00' },
    pulses: [{ tof: ones(8), pixel: [0, 1, 2, 3, 4, 5, 6, 7] }],
    ...{ sum: 6, shape: [2, 3], dtype: 'float64', data: [[1, 1, 1], [1, 1, 1]], edges: [[0, 1], [0, 1, 2]] } // prettier-ignore
  }
]

describe('just-bin-it', function () {
  this.timeout(120_000)
  let live: Live
  let peer: Peer

  before(async () => {
    live = await Live.open(cases.length + 1, 'update_ms = 50\nlate_data_ms = 300')
    peer = new Peer(live)
  })
  after(() => live?.close())

  for (const { name, histogram, command, pulses, sum, ...wanted } of cases)
    it(name, async () => {
      const { data, id } = await peer.begin(histogram, command)
      await live.put(data, Buffer.from('no message'))
      for (const one of pulses) await live.put(data, Buffer.isBuffer(one) ? one : events(one))
      const last = await peer.sum(id, sum)
      await peer.stop()
      const [counting, ended] = await live.read(last, await peer.finished(id))
      for (const { shape, dtype, data, edges, source, units } of [counting!, ended!])
        assert.deepEqual(
          { shape, dtype, data, edges, source, units },
          { ...wanted, source: 'just-bin-it', units: units.map(() => '') }
        )
      assert.match(
        ended!.info,
        /^\{"id":"[^"]*","state":"FINISHED","last_pulse_time":170000000\d{10},"sum":\d+,"diff":\d+,"rate":/
      )
      assert.deepEqual(live.of(id).map(({ state }) => state).filter((state, i, all) => state !== all[i - 1]), ['INITIALISED', 'COUNTING', 'FINISHED']) // prettier-ignore
    })

  it('counts several of one id, as the program of its own example asks for them', async () => {
    const data = live.topic()
    const id = 'some_unique_id'
    const time = { tof_range: [0, 100_000_000], num_bins: 50 }
    const types = [
      { type: 'hist1d', ...time },
      { type: 'hist2d', ...time, det_range: [0, 100] },
      { type: 'dethist', det_range: [1, 6145], width: 32, height: 192 }
    ]
    const histograms = types.map((one) => peer.full(one, data, id))
    await peer.configure(histograms, { input_schema: 'ev42' })
    const tof = Array.from({ length: 20 }, (_, i) => 1_000_000 + 2_000_000 * i)
    for (const n of [0, 1, 2])
      await live.put(data, events({ schema: 'ev42', time: second(n), tof, pixel: tof.map((_, i) => 101 + 335 * i) }))
    await peer.sum(id, 60)
    await peer.stop()
    const ends = await live.ends(id, types.length)
    const read = await live.read(...ends)
    assert.deepEqual(read.map(({ shape, info }) => [shape, (JSON.parse(info) as Info).sum]).toSorted(), [[[32, 192], 57], [[50, 50], 0], [[50], 60]]) // prettier-ignore
  })
})
