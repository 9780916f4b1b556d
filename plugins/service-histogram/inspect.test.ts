// What is too large is refused with its number before it is made: one command must not take the daemon's memory.
import assert from 'node:assert/strict'
import { type Finding } from '../../core/api/plugin.js'
import { histogramCommand } from '../../test/support/histograms.js'
import { inspect } from './inspect.js'
import { type HistogramOptions } from './options.js'

const topics = { data_topic: 'events', topic: 'histograms' }
const found = (histograms: readonly object[]): readonly Finding[] =>
  inspect({ memory_bytes: 2_000_000 } as HistogramOptions, {
    cmd: 'start',
    histograms: histograms.map(histogramCommand)
  })
const repeat = <T>(n: number, value: T): T[] => Array.from({ length: n }, () => value)

describe('memory of histograms', () => {
  const image = { ...topics, kind: 'image', width: 200, height: 200 }
  const cases: readonly (readonly [string, object, number])[] = [
    ['2^28 cells of rows', { kind: 'rows', left_edges: repeat(4096, 0), width: 65_536 }, 13 * 2 ** 28],
    ['a table of far pixels', { kind: 'rows', left_edges: [0, 2 ** 26], width: 1 }, 2 * 13 + 4 * (2 ** 26 + 1)],
    // Each has a table of its own of 80 kB; the 25th is too much
    [
      'regions that overlap',
      {
        ...{ kind: 'roi', width: 200, height: 100, tof_edges: [0, 1] },
        regions: repeat(256, { rectangle: [0, 0, 200, 100] })
      },
      256 * 13 + 2 * 32 + 25 * 80_000
    ],
    ['10^7 bins', { kind: 'tof', tof_range: [0, 1e8], num_bins: 1e7 }, 13e7 + 32 * (1e7 + 1)]
  ]
  for (const [name, histogram, bytes] of cases)
    it(`refuses ${name}`, () => {
      const [{ code, path, message } = { code: '', path: '', message: '' }] = found([{ ...topics, ...histogram }])
      assert.deepEqual([code, path], ['HISTOGRAM_MEMORY', '/histograms/0'])
      assert.match(message, new RegExp(`at least ${bytes} bytes; memory_bytes is 2000000`))
    })

  it('adds up the histograms of a command', () => {
    assert.deepEqual(found(repeat(3, image)), [])
    const [{ path, message } = { path: '', message: '' }, ...others] = found(repeat(4, image))
    assert.deepEqual([path, others], ['/histograms/3', []])
    assert.match(message, /at least 2080000 bytes/)
  })
})
