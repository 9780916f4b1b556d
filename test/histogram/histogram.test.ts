// Live histograms through the daemon on a real Kafka: exact counts, read back by ess-streaming-data-types.
import assert from 'node:assert/strict'
import { events, infoOf, Live, T0 } from './live.js'

describe('live histograms', function () {
  this.timeout(120_000)
  let live: Live

  before(async () => {
    live = await Live.open(8, 'update_ms = 50\nlate_data_ms = 300\nmemory_bytes = 2000000')
  })
  after(() => live?.close())

  const start = async (keys: object): Promise<string> => {
    const answer = await live.control.send({ cmd: 'start', service: 'histogram', ...keys })
    assert.equal(answer['response'], 'ACK', JSON.stringify(answer))
    return String(answer['job_id'])
  }
  const stop = (job: string) => live.control.send({ cmd: 'stop', service: 'histogram', job_id: job })
  const done = (job: string) =>
    live.control.json((json) => json['event'] === 'histogram_done' && json['job_id'] === job, `the end of ${job}`)

  it('counts times of flight into hs00 and hs01, each event once', async () => {
    const data = live.topic()
    const tof = { kind: 'tof', data_topic: data, topic: live.histograms, tof_range: [0, 100], num_bins: 5 }
    const job = await start({
      histograms: [
        { ...tof, id: 'a' },
        { ...tof, id: 'b', format: 'hs00' }
      ]
    })
    await live.put(data, events({ tof: [0, 19, 20, 21, 40, 99, 100, 101, -1], pixel: [1, 1, 1, 1, 1, 1, 1, 1, 1] }))
    await live.put(data, events({ tof: [5], pixel: [1], time: T0 + 1_000_000_000n }), undefined, 1)
    await live.wait('a', 'eight events', ({ sum, state }) => sum === 8 && state === 'COUNTING')
    await stop(job)
    const ends = [
      await live.wait('a', 'the end', ({ state }) => state === 'FINISHED'),
      await live.wait('b', 'the end', ({ state }) => state === 'FINISHED')
    ]
    const [a, b] = await live.read(...ends)
    assert.deepEqual([a!.schema, a!.dtype, a!.data], ['hs01', 'int64', [3, 2, 1, 0, 2]])
    assert.deepEqual([b!.schema, b!.dtype, b!.data], ['hs00', 'uint64', [3, 2, 1, 0, 2]])
    assert.deepEqual(a!.edges, [[0, 20, 40, 60, 80, 100]])
    assert.deepEqual(a!.units, ['ns'])
    const { report } = (await done(job)) as unknown as {
      report: { events: number; losses: object; histograms: object[] }
    }
    assert.equal(report.events, 10)
    assert.deepEqual(report.histograms[0], { id: 'a', topic: live.histograms, state: 'FINISHED', sum: 8, rate: infoOf(ends[0]!).rate, sent: live.of('a').length, outside: 2 }) // prettier-ignore
  })
})
