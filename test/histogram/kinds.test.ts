// The other kinds and ways to show them: regions, uneven edges, folded, normalised, current, by period; da00.
import assert from 'node:assert/strict'
import { vector } from '../../plugins/service-histogram/thread/vectors.js'
import { encodeMessage } from '../../schemas/index.js'
import { openConverter } from '../support/converters.js'
import { events, Live, type Read, T0 } from './live.js'

const variable = (name: string, unit: string, axes: readonly string[], shape: readonly number[], values: Float64Array | Int32Array) =>
  ({ name, unit, label: null, source: null, axes, shape, data: vector(values instanceof Int32Array ? 'int32' : 'float64', values), isText: false }) // prettier-ignore

async function message(schema: string, record: object): Promise<Buffer> {
  const converter = await openConverter(schema)
  return Buffer.from(converter.encode!(record as never))
}

describe('kinds of live histograms', function () {
  this.timeout(120_000)
  let live: Live

  before(async () => {
    live = await Live.open(3, 'update_ms = 50\nlate_data_ms = 300')
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
      { ...wide, id: 'window', kind: 'image', tof_window: [10, 60] },
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
    const [roi, image, window, uneven, folded, normal, last, periods, variables] = (await live.read(
      ...ends,
      array
    )) as [Read, ...Read[]]
    assert.deepEqual(roi.data, [[0, 1], [2, 0]]) // prettier-ignore
    assert.deepEqual(image!.data, [[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]]) // prettier-ignore
    assert.deepEqual(window!.data, [[0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]) // prettier-ignore
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

  it('counts da00 by the centres of its bins, and passes on histograms in another schema', async () => {
    const data = live.topic()
    const base = { data_topic: data, topic: live.histograms }
    const tof = { ...base, id: 'da00-tof', kind: 'tof', schemas: ['da00'], source: 'cbm', tof_range: [0, 100] }
    const image = { ...base, id: 'da00-image', kind: 'image', schemas: ['da00'], source: 'frame', width: 2, height: 2 }
    const copies = [
      { ...base, id: 'copy-hs01', kind: 'copy', source: 'cbm' },
      { ...base, id: 'copy-da00', kind: 'copy', source: 'monitor', format: 'da00' },
      { ...base, id: 'copy-small', kind: 'copy', source: 'monitor', max_cells: 2 }
    ]
    const histograms = [{ ...tof, num_bins: 2 }, image, ...copies]
    const answer = await live.control.send({ cmd: 'start', service: 'histogram', job_id: 'arrays', histograms })
    assert.equal(answer['response'], 'ACK', JSON.stringify(answer))
    // In µs: centres 10, 40 and 130 ns
    const time = variable('frame_time', 'us', ['frame_time'], [4], Float64Array.of(0, 0.02, 0.06, 0.2))
    const flat = variable('signal', 'counts', ['frame_time'], [3], Int32Array.of(3, 4, 5))
    const deep = variable('signal', 'counts', ['pixel', 'frame_time'], [2, 3], Int32Array.of(1, 1, 1, 0, 2, 0))
    const square = variable('signal', 'counts', ['y', 'x'], [2, 2], Int32Array.of(1, 2, 3, 4))
    const arrays = [
      ['cbm', [deep, time]],
      ['cbm', [flat, time]],
      ['frame', [square]],
      ['frame', [flat, time]],
      ['frame', [time]]
    ] as const
    for (const [source, variables] of arrays)
      await live.put(data, await message('da00', { source, timestampNs: T0, variables }))
    const edges = vector('float64', Float64Array.of(0, 5, 10, 20))
    await live.put(
      data,
      await message('hs00', {
        ...{ source: 'monitor', timestampNs: T0, lastMetadataTimestampNs: 0n, offset: null, errors: null, info: '' },
        ...{ currentShape: [3], dimensions: [{ length: 3, unit: 'ms', label: 'tof', edges }] },
        data: vector('uint32', Uint32Array.of(7, 8, 9))
      })
    )
    await live.control.send({ cmd: 'stop', service: 'histogram', job_id: 'arrays' })
    const done = await live.control.json(
      ({ report }) => JSON.stringify(report)?.includes('da00-tof') === true,
      'the end'
    )
    const ids = ['da00-tof', 'da00-image', 'copy-hs01']
    const ends = await Promise.all(ids.map((id) => live.wait(id, `the end of ${id}`, ({ state }) => state === 'FINISHED'))) // prettier-ignore
    const array = live.control.said.filter(({ id }) => id === 'da00').at(-1)!.value
    const [counted, added, passed, made] = await live.read(...ends, array)
    assert.deepEqual(counted!.data, [11, 0])
    assert.deepEqual(added!.data, [[1, 2], [3, 4]]) // prettier-ignore
    assert.deepEqual([passed!.dtype, passed!.data, passed!.units], ['int32', [3, 4, 5], ['us']])
    assert.deepEqual(passed!.edges, [[0, 0.02, 0.06, 0.2]])
    const { signal, tof: axis, info } = made!.variables
    assert.deepEqual([signal!.axes, signal!.data], [['tof'], [7, 8, 9]])
    assert.deepEqual([axis!.unit, axis!.data], ['ms', [0, 5, 10, 20]])
    assert.match(String(info!.data), /"state":"FINISHED"/)
    assert.deepEqual((done['report'] as { losses: object }).losses, { other_shape: 1, no_signal: 1, too_large: 1 })
  })
})
