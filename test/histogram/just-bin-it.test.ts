// just-bin-it's commands against the daemon: facts of recorded exchanges with the real program, but for its faults.
import assert from 'node:assert/strict'
import { type Command } from '../../core/api/plugin.js'
import { events, infoOf, Live, type Pulse, T0 } from './live.js'

const second = (n: number): bigint => T0 + BigInt(n) * 1_000_000_000n
const pulse = (n: number, tof: number): Pulse => ({ time: second(n), tof: [tof], pixel: [1] })
const ones = (n: number): number[] => Array.from({ length: n }, () => 1)

interface Case {
  readonly name: string
  readonly histogram: object
  readonly command?: object
  readonly pulses: readonly Pulse[]
  readonly sum: number
  readonly shape: readonly number[]
  readonly dtype: string
  readonly data: unknown
  readonly edges: readonly (readonly number[])[]
}

const edges = [0, 20, 40, 60, 80, 100]
const hist1d = { type: 'hist1d', tof_range: [0, 100], num_bins: 5 }

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
      { schema: 'ev42', source: 'bank0', tof: [10], pixel: [1] },
      { source: 'bank0', tof: [10, 30, 50], pixel: [1, 2, 3] },
      { source: 'bank0', time: second(1), tof: [70], pixel: [1] }
    ],
    ...{ sum: 4, shape: [5], dtype: 'int64', data: [1, 1, 1, 1, 0], edges: [edges] }
  }
]

describe('just-bin-it', function () {
  this.timeout(120_000)
  let live: Live
  let count = 0

  before(async () => {
    live = await Live.open(16, 'update_ms = 50\nlate_data_ms = 300\nmemory_bytes = 2000000')
  })
  after(() => live?.close())

  const ask = (command: object): Promise<Readonly<Record<string, unknown>>> => live.peer.send({ ...command })
  const config = (histograms: readonly object[], more: object = {}): object => ({
    ...{ cmd: 'config', msg_id: `m${++count}`, input_schema: 'ev44', output_schema: 'hs01', histograms },
    ...more
  })
  const full = (histogram: object, data: string, id: string): object => ({
    ...{ data_brokers: ['elsewhere:1'], data_topics: [data], topic: live.histograms, id },
    ...histogram
  })
  async function begin(histogram: object, more: object = {}): Promise<{ data: string; id: string }> {
    const data = live.topic()
    const id = `h${++count}`
    const command = config([full(histogram, data, id)], more) as Command
    assert.deepEqual(await ask(command), { msg_id: command.msg_id, response: 'ACK' })
    return { data, id }
  }
  const finished = (id: string): Promise<Buffer> => live.wait(id, 'the end', ({ state }) => state === 'FINISHED')

  for (const { name, histogram, command, pulses, sum, ...wanted } of cases)
    it(name, async () => {
      const { data, id } = await begin(histogram, command)
      await live.put(data, Buffer.from('no message'))
      for (const one of pulses) await live.put(data, events(one))
      const last = await live.wait(id, `sum ${sum}`, (info) => info.state === 'COUNTING' && info.sum === sum)
      assert.deepEqual(await ask({ cmd: 'stop', msg_id: 7 }), { msg_id: 7, response: 'ACK' })
      const [counting, ended] = await live.read(last, await finished(id))
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

  it('counts from a time in the past, at which the third message was sent', async () => {
    const data = live.topic()
    const from = Date.now() - 60_000
    for (const n of [0, 1, 2, 3, 4]) await live.put(data, events(pulse(n, 5 + 20 * n)), from + 1000 * n)
    const command = config([full(hist1d, data, 'past')], { start: from + 2000 })
    assert.equal((await ask(command))['response'], 'ACK')
    await live.wait('past', 'three', ({ sum }) => sum === 3)
    await live.put(data, events(pulse(9, 5)))
    await live.wait('past', 'four', ({ sum }) => sum === 4)
    await ask({ cmd: 'stop', msg_id: 'x' })
    const [end] = await live.read(await finished('past'))
    assert.deepEqual(end!.data, [1, 0, 1, 1, 1])
  })

  it('reads each partition to its own end: both ends of the window count', async () => {
    const data = live.topic()
    const from = Date.now() - 60_000
    // A later message of one partition must not end the other
    await live.put(data, events(pulse(4, 85)), from + 40_000, 1)
    for (const n of [0, 1, 2, 3, 4]) await live.put(data, events(pulse(n, 5 + 20 * n)), from + 10_000 * n)
    const command = config([full(hist1d, data, 'window')], { start: from + 10_000, stop: from + 30_000 })
    assert.equal((await ask(command))['response'], 'ACK')
    const [end] = await live.read(await finished('window'))
    assert.deepEqual(end!.data, [0, 1, 1, 1, 0])
  })

  it('waits for data at a start on a topic without any, and is driven as NICOS does it', async () => {
    const data = live.topic()
    const keys = { tof_range: [0, 100_000_000], det_range: [1, 12], num_bins: 50, width: 4, height: 3, left_edges: [], source: '' } // prettier-ignore
    const image = { ...full({ ...keys, type: 'dethist' }, data, 'nicos-image_1-1') }
    const tof = { ...full({ ...keys, type: 'hist1d', num_bins: 5, det_range: [0, 100] }, data, 'nicos-image_2-1') }
    const start = Math.floor(Date.now() / 1000) * 1000
    assert.equal((await ask(config([image, tof], { start })))['response'], 'ACK')
    await live.put(data, events({ time: second(1), tof: [100, 30_000_000, 50_000_000], pixel: [1, 6, 12] }))
    await live.peer.sendRaw('{"cmd": "stop"}')
    // NICOS leaves at FINISHED, and keeps the counts of the message before
    for (const id of ['nicos-image_1-1', 'nicos-image_2-1']) {
      await finished(id)
      const [before, last] = live.of(id).slice(-2)
      assert.deepEqual([before!.state, before!.sum, last!.state, last!.sum], ['COUNTING', 3, 'FINISHED', 3])
    }
  })

  it('ends an interval by the clock', async () => {
    const { data, id } = await begin(hist1d, { interval: 0.5 })
    await live.put(data, events(pulse(1, 25)))
    const end = await finished(id)
    assert.equal(infoOf(end).sum, 1)
  })

  it('resets counts and begins anew', async () => {
    const { data, id } = await begin(hist1d)
    await live.put(data, events({ tof: [10, 60], pixel: [1, 2] }))
    await live.wait(id, 'two', ({ sum }) => sum === 2)
    assert.equal((await ask({ cmd: 'reset_counts', msg_id: 'r' }))['response'], 'ACK')
    await live.wait(id, 'none', ({ sum, state }) => sum === 0 && state === 'COUNTING')
    await live.put(data, events({ time: second(1), tof: [10], pixel: [1] }))
    await live.wait(id, 'one', ({ sum }) => sum === 1)
  })

  it('carries out and answers each of several commands that come at once', async () => {
    const data = live.topic()
    const ids = ['burst0', 'burst1', 'burst2']
    const sent = ids.map((id) => ask(config([full(hist1d, data, id)], { msg_id: id })))
    assert.deepEqual(
      await Promise.all(sent),
      ids.map((id) => ({ msg_id: id, response: 'ACK' }))
    )
    await finished('burst0')
    await finished('burst1')
    assert.equal((await ask(config([])))['response'], 'ACK')
    await finished('burst2')
  })

  it('refuses what it cannot do, and says nothing where nobody asked', async () => {
    const data = live.topic()
    const one = (keys: object): object => config([full({ ...hist1d, ...keys }, data, 'no')])
    const big = { type: 'dethist', det_range: [1, 2], width: 4096, height: 4096 }
    const silent = ['{"cmd": "nonsense"}', '{"cmd": "config"', '[1, 2]', '{}', '', '{"cmd": "stop", "msg_id": 0}']
    for (const text of silent) await live.peer.sendRaw(text)
    const answers = live.peer.said.length
    const refused: [object, RegExp][] = [
      [{ cmd: 'conf', msg_id: 'r1' }, /unknown command/],
      [{ msg_id: 'r2' }, /unknown command/],
      [one({ type: 'hist3d' }), /hist3d/],
      [one({ type: undefined }), /type/],
      [one({ num_bins: undefined }), /num_bins/],
      [one({ type: 'hist2d' }), /det_range/],
      [one({ type: 'dethist', det_range: [0, 1], height: 3 }), /width/],
      [one({ type: 'roihist', left_edges: [], width: 3 }), /left_edges/],
      [one({ tof_range: [100, 0] }), /tof_range/],
      [one({ num_bins: 0 }), /num_bins/],
      [one({ topic: 'a b' }), /topic/],
      [one({ id: 5 }), /id/],
      [config([full(hist1d, data, 'x')], { input_schema: 'da00' }), /da00/],
      [config([full(hist1d, data, 'x')], { output_schema: 'da00' }), /da00/],
      [config([full(hist1d, data, 'x')], { interval: 5, start: 1 }), /interval/],
      [config([full(hist1d, data, 'x')], { interval: -5 }), /interval/],
      [config([full(hist1d, 'no-such-topic', 'x')]), /no-such-topic/],
      [{ ...config([]), histograms: 'x' }, /list/],
      [config([full(big, data, 'x')]), /218103808 bytes; memory_bytes is 2000000/]
    ]
    for (const [command, why] of refused) {
      const answer = await ask(command)
      assert.equal(answer['response'], 'ERR', JSON.stringify(command))
      assert.match(String(answer['message']), why)
    }
    assert.equal(live.peer.said.length - answers, refused.length)
    assert.equal((await ask({ cmd: 'stop', msg_id: 'r4' }))['response'], 'ACK')
    assert.equal((await ask({ cmd: 'reset_counts', msg_id: 'r5' }))['response'], 'ACK')
  })
})
