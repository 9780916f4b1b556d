// The other kinds and ways to show them: regions, uneven edges, folded, normalised, current, by period; da00.
import assert from 'node:assert/strict'
import { encodeMessage } from '../../schemas/index.js'
import { events, Live, type Read, T0 } from './live.js'

describe('kinds of live histograms', function () {
  this.timeout(120_000)
  let live: Live

  before(async () => {
    live = await Live.open(2, 'update_ms = 50\nlate_data_ms = 300')
  })
  after(() => live?.close())

  it('counts one topic in all of them at once', async () => {
    const [data, pulses] = [live.topic(), live.topic()]
    const base = { data_topic: data, topic: live.histograms, tof_range: [0, 100], num_bins: 2, source: 'det' }
    const wide = { ...base, width: 4, height: 3 }
    const square = { name: 'square', rectangle: [1, 1, 2, 2] }
    const corner = { polygon: [[0, 0], [3, 0], [0, 3]] } // prettier-ignore
    const edges = { tof_range: undefined, num_bins: undefined, tof_edges: [0, 10, 11, 100] }
    const histograms = [
      { ...wide, id: 'roi', kind: 'roi', regions: [square, corner] },
      { ...wide, id: 'image', kind: 'image' },
      { ...base, id: 'uneven', kind: 'tof', ...edges },
      { ...base, id: 'folded', kind: 'tof', fold_ns: 100 },
      { ...base, id: 'normal', kind: 'tof', monitor: { topic: data, source: 'mon' } },
      { ...base, id: 'last', kind: 'tof', show: 'last', last_s: 3600 },
      { ...base, id: 'periods', kind: 'tof', periods: { count: 2, topic: pulses } }
    ]
    const da00 = { ...base, id: 'da00', kind: 'tof', format: 'da00' }
    const answer = await live.control.send({
      cmd: 'start',
      service: 'histogram',
      job_id: 'all',
      histograms: [...histograms, da00]
    })
    assert.equal(answer['response'], 'ACK', JSON.stringify(answer))
    // Pixels 1, 2, 6, 7: x y = 0 0, 1 0, 1 1, 2 1
    await live.put(data, events({ tof: [5, 10, 60, 160], pixel: [1, 2, 6, 7] }))
    await live.put(data, events({ source: 'mon', tof: [1, 1], pixel: [1, 1] }))
    const period = { source_name: 'p', message_id: 1n, reference_time: T0, period_number: 1 }
    await live.put(pulses, encodeMessage('pu00', period))
    await live.control.send({ cmd: 'stop', service: 'histogram', job_id: 'all' })
    const done = await live.control.json(({ event }) => event === 'histogram_done', 'the end')
    const ends = await Promise.all(
      histograms.map(({ id }) => live.wait(id, `the end of ${id}`, ({ state }) => state === 'FINISHED'))
    )
    const array = live.control.said.filter(({ id }) => id === 'da00').at(-1)!.value
    const [roi, image, uneven, folded, normal, last, periods, variables] = (await live.read(...ends, array)) as [
      Read,
      ...Read[]
    ]
    assert.deepEqual(roi.data, [[0, 1], [2, 0]]) // prettier-ignore
    assert.deepEqual(image!.data, [[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]]) // prettier-ignore
    assert.deepEqual(uneven!.data, [1, 1, 1])
    assert.deepEqual(folded!.data, [2, 2])
    assert.deepEqual(normal!.data, [1, 0.5])
    assert.deepEqual(last!.data, [2, 1])
    assert.deepEqual(periods!.data, [[0, 0], [2, 1]]) // prettier-ignore
    const { signal, errors, time_of_flight: time } = variables!.variables
    assert.deepEqual([signal!.unit, signal!.axes, signal!.data], ['counts', ['time_of_flight'], [2, 1]])
    assert.deepEqual(errors!.data, [Math.SQRT2, 1])
    assert.deepEqual([time!.unit, time!.data], ['ns', [0, 50, 100]])
    assert.deepEqual((done['report'] as { losses: object }).losses, {})
  })
})
