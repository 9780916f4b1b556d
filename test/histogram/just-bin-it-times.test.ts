// Which messages of just-bin-it's window count, and when it ends: facts of recorded exchanges, but for the faults.
import assert from 'node:assert/strict'
import { events, infoOf, Live, type Pulse, T0 } from './live.js'
import { Peer } from './peer.js'

const hist1d = { type: 'hist1d', tof_range: [0, 100], num_bins: 5 }
const second = (n: number): bigint => T0 + BigInt(n) * 1_000_000_000n
/** The nth of its kind: its event falls into bin n. */
const pulse = (n: number): Pulse => ({ time: second(n), tof: [5 + 20 * n], pixel: [1] })

describe('the time window of just-bin-it', function () {
  this.timeout(120_000)
  let live: Live
  let peer: Peer

  before(async () => {
    live = await Live.open(16, 'update_ms = 50\nlate_data_ms = 300')
    peer = new Peer(live)
  })
  after(() => live?.close())

  it('begins in the past, at which the third message was sent', async () => {
    const data = live.topic()
    const from = Date.now() - 60_000
    for (const n of [0, 1, 2, 3, 4]) await live.put(data, events(pulse(n)), from + 1000 * n)
    const { id } = await peer.begin(hist1d, { start: from + 2000 }, data)
    await peer.sum(id, 3)
    await live.put(data, events({ ...pulse(0), time: second(9) }))
    await peer.sum(id, 4)
    await peer.stop()
    const { data: counts, says } = await peer.end(id)
    assert.deepEqual(counts, [1, 0, 1, 1, 1])
    assert.deepEqual([says.start, says.stop, says.last_pulse_time], [from + 2000, undefined, Number(second(9))])
  })

  it('begins with the oldest message of a topic', async () => {
    const data = live.topic()
    const from = Date.now() - 60_000
    for (const n of [0, 1]) await live.put(data, events(pulse(n)), from + 1000 * n)
    const { id } = await peer.begin(hist1d, { start: from }, data)
    await peer.sum(id, 2)
  })

  it('reads each partition to its own end: both ends of the window count', async () => {
    const data = live.topic()
    const from = Date.now() - 60_000
    // A later message of one partition must not end the other
    await live.put(data, events(pulse(4)), from + 40_000, 1)
    for (const n of [0, 1, 2, 3, 4]) await live.put(data, events(pulse(n)), from + 10_000 * n)
    const { id } = await peer.begin(hist1d, { start: from + 10_000, stop: from + 30_000 }, data)
    const { data: counts, says } = await peer.end(id)
    assert.deepEqual([counts, says.sum], [[0, 1, 1, 1, 0], 3])
  })

  it('lies in the future: what comes before it, and after it, does not count', async () => {
    const data = live.topic()
    await live.put(data, events(pulse(0)))
    const start = Date.now() + 400
    const stop = start + 1000
    const { id } = await peer.begin(hist1d, { start, stop }, data)
    const times = [start - 200, start - 1, start, stop, stop + 1, stop + 5000]
    for (const [n, time] of times.entries()) await live.put(data, events(pulse(n % 5)), time)
    const { data: counts, says } = await peer.end(id)
    assert.deepEqual(counts, [0, 0, 1, 1, 0])
    assert.deepEqual([says.start, says.stop], [start, stop])
  })

  it('ends by the clock when no later message comes', async () => {
    const stop = Date.now() + 1500
    const { data, id } = await peer.begin(hist1d, { stop })
    await live.put(data, events({ tof: [5, 25], pixel: [1, 2] }), stop - 1000)
    const { data: counts, says } = await peer.end(id)
    assert.deepEqual([counts, says.stop, says.start], [[1, 1, 0, 0, 0], stop, undefined])
    assert.ok(Date.now() >= stop)
  })

  it('is an interval from now on, without what was there before', async () => {
    const data = live.topic()
    for (const n of [0, 4]) await live.put(data, events(pulse(n)), Date.now() - 60_000)
    const { id } = await peer.begin(hist1d, { interval: 1.5 }, data)
    const { start = 0, stop = 0 } = infoOf(await live.wait(id, 'its window', () => true))
    assert.equal(stop - start, 1500)
    await live.put(data, events(pulse(1)), start + 1)
    const { data: counts, says } = await peer.end(id)
    assert.deepEqual([counts, says.start, says.stop], [[0, 1, 0, 0, 0], start, stop])
  })

  it('is an interval on a topic without data: nothing was counted, which is no error', async () => {
    const { id } = await peer.begin(hist1d, { interval: 0.2 })
    const { data: counts, says } = await peer.end(id)
    assert.deepEqual([counts, says.error_message], [[0, 0, 0, 0, 0], undefined])
    assert.deepEqual(live.of(id).map(({ state }) => state), ['INITIALISED', 'FINISHED']) // prettier-ignore
  })

  it('has no end with an interval of 0', async () => {
    const { data, id } = await peer.begin(hist1d, { interval: 0 })
    await live.put(data, events(pulse(2)), Date.now() + 60_000)
    const { start, stop } = infoOf(await peer.sum(id, 1))
    assert.deepEqual([start, stop], [undefined, undefined])
    await peer.stop()
    assert.equal((await peer.end(id)).says.sum, 1)
  })

  it('ends when the next config comes: the old histogram first, with all that is in the topic', async () => {
    const { data, id: first } = await peer.begin(hist1d)
    await live.put(data, events({ tof: [5, 65], pixel: [1, 2] }))
    const { id: second } = await peer.begin(hist1d, {}, data)
    await live.put(data, events({ ...pulse(0), time: T0 + 1n }))
    await peer.sum(second, 1)
    await peer.configure([])
    const ends = [await peer.end(first), await peer.end(second)]
    assert.deepEqual(ends.map((end) => end.data), [[1, 0, 0, 1, 0], [1, 0, 0, 0, 0]]) // prettier-ignore
    const said = live.control.said.filter(({ topic }) => topic === live.histograms).map(({ value }) => infoOf(value))
    const at = (id: string, state: string): number => said.findIndex((one) => one.id === id && one.state === state)
    assert.ok(at(first, 'FINISHED') < at(second, 'INITIALISED'))
  })
})
