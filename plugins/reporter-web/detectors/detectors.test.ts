import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CodedError, type JobInfo } from '../../../core/api/plugin.js'
import { type DetectorGrid } from './description.js'
import { detectorsOf } from './index.js'
import { Layouts } from './layouts.js'
import { type HistogramRow } from '../wire.js'

const kafka = { broker: 'kafka:9092', topic: 'mantle_events', 'message.max.bytes': '10000000' }
const geometry = { xdim: 4, ydim: 3, zdim: 2, offset: 100 }

describe('detector descriptions', () => {
  let folder: string
  let count = 0
  before(() => (folder = mkdtempSync(join(tmpdir(), 'nexstream-detectors-'))))
  after(() => rmSync(folder, { recursive: true }))

  const fileOf = (content: unknown): string => {
    const file = join(folder, `bank${count++}.json`)
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
    return file
  }
  const read = (content: unknown, histogram?: string): DetectorGrid =>
    detectorsOf([{ daqlite: fileOf(content), ...(histogram === undefined ? {} : { histogram }) }])[0]!

  it('are the files of daqlite as they are', () => {
    const plots = {
      times: { plot_type: 'tof', window_title: 'Times', source: 'mantle', log_scale: false },
      image: { plot_type: 'pixels', window_title: 'Mantle', plot_title: 'Pixels', color_gradient: 'hot' }
    }
    const { grid, topic, sources } = read(`\uFEFF${JSON.stringify({ kafka, geometry, tof: { scale: 1000 }, plots })}`)
    assert.deepEqual(grid, { id: 0, name: 'Mantle', size: [4, 3, 2], first: 101, places: null })
    assert.equal(topic, 'mantle_events')
    assert.deepEqual(sources, ['mantle'])
    const single = read({ kafka: { ...kafka, source: 'a' }, geometry: { xdim: 1, ydim: 1, zdim: 1 }, plot: { source: 'a', plot_title: 'One' } }) // prettier-ignore
    assert.deepEqual([single.grid.name, single.grid.first, single.sources], ['One', 1, ['a']])
    assert.match(read({ kafka, geometry }).grid.name, /^bank\d+$/)
  })

  it('are refused at start, by file, key and what to do', () => {
    const proto = '{"__proto__": {"kafka": {"topic": "t"}, "geometry": {"xdim": 1, "ydim": 1, "zdim": 1}}}'
    const wrong: readonly (readonly [unknown, RegExp])[] = [
      ['', /is no JSON/],
      ['{"kafka": ', /is no JSON/],
      ['['.repeat(100_000), /is no JSON/],
      ['[]', /must be a JSON object/],
      ['null', /must be a JSON object/],
      [proto, /\/kafka is missing/],
      [' '.repeat(262_145), /more than 262144/],
      [{ geometry }, /\/kafka is missing/],
      [{ kafka }, /\/geometry is missing/],
      [{ kafka: {}, geometry }, /\/kafka\/topic is missing/],
      [{ kafka: { topic: 7 }, geometry }, /\/kafka\/topic must be a text.* 7$/],
      [{ kafka: { topic: 'x'.repeat(1000) }, geometry }, /\/kafka\/topic must be a text of at most 200 characters/],
      [{ kafka, geometry: [4, 3, 2] }, /\/geometry must be a JSON object/],
      [{ kafka, geometry: { ...geometry, xdim: undefined } }, /\/geometry\/xdim .* it is missing/],
      [{ kafka, geometry: { ...geometry, ydim: '512' } }, /\/geometry\/ydim must be a whole number from 1 to 65536; it is "512"/],
      [{ kafka, geometry: { ...geometry, zdim: 0 } }, /\/geometry\/zdim/],
      [{ kafka, geometry: { ...geometry, xdim: 1.5 } }, /\/geometry\/xdim/],
      [JSON.stringify({ kafka, geometry }).replace('"ydim":3', '"ydim":1e999'), /\/geometry\/ydim/],
      [{ kafka, geometry: { ...geometry, offset: -1 } }, /\/geometry\/offset/],
      [{ kafka, geometry: { xdim: 65_536, ydim: 65_536, zdim: 65_536 } }, /\/geometry has 65536 × 65536 × 65536 pixels/],
      [{ kafka, geometry, plot: 'pixels' }, /\/plot must be a JSON object/],
      [{ kafka, geometry, plots: { a: null } }, /\/plots\/a must be a JSON object/],
      [{ kafka, geometry, plots: { a: { source: ['s'] } } }, /\/plots\/a\/source must be a text/]
    ] // prettier-ignore
    for (const [content, text] of wrong) {
      const file = fileOf(content)
      const options = [{ daqlite: fileOf({ kafka, geometry }) }, { daqlite: file }]
      assert.throws(() => detectorsOf(options), (error: unknown) => {
        assert.ok(error instanceof CodedError)
        assert.equal(error.code, 'CONFIG_INVALID')
        assert.equal(error.path, '/reporters/web/detectors/1/daqlite')
        assert.ok(error.message.startsWith(`${file} `) && error.message.length < 600, error.message)
        assert.match(error.message, text)
        return true
      }) // prettier-ignore
    }
  })

  it('are never waited for', () => {
    const [pipe, below] = [join(folder, 'pipe'), join(folder, 'below')]
    execFileSync('mkfifo', [pipe])
    mkdirSync(below)
    for (const file of [pipe, below, '/dev/zero', join(folder, 'nothing.json')])
      assert.throws(() => detectorsOf([{ daqlite: file }]), /cannot be read: .*; name a config file of daqlite/)
  })

  const row = (change: Partial<HistogramRow>): HistogramRow => ({
    ...{ key: 'seen:image', topic: 'seen', id: 'image', source: 'somebody', schema: 'hs01', version: 1, time_ms: 0 },
    ...{ shape: [3, 8], axes: [{ label: 'y', unit: 'pixel' }, { label: 'x', unit: 'pixel' }] },
    ...{ state: '', sum: null, rate: null, input: null, tof_range: null, grids: [] },
    ...change
  }) // prettier-ignore
  const jobs = (input: object): JobInfo[] => [{ service: 'histogram', histograms: [{ id: 'image', topic: 'seen', ...input }] }] // prettier-ignore
  const counted = { kind: 'image', data_topic: 'mantle_events', source: '', first_pixel: 101, order: 'yx' }

  it('belong to the histograms that count their events', () => {
    const of = (detector: DetectorGrid, input: object, change: Partial<HistogramRow> = {}): number => {
      const layouts = new Layouts([detector])
      assert.equal(layouts.learn(jobs(input)), true)
      assert.equal(layouts.learn(jobs(input)), false)
      return layouts.gridsOf(row(change)).length
    }
    const bank = read({ kafka, geometry })
    assert.equal(of(bank, counted), 1)
    assert.equal(of(bank, { ...counted, data_topic: 'others' }), 0)
    assert.equal(of(bank, { ...counted, kind: 'rows' }), 0)
    assert.equal(of(bank, { ...counted, first_pixel: 100 }), 1)
    assert.equal(of(bank, { ...counted, first_pixel: 80 }), 0)
    // A bank of a larger image
    assert.equal(of(bank, { ...counted, first_pixel: 1 }, { shape: [40, 40] }), 1)
    assert.equal(of(bank, { ...counted, kind: 'tof_pixel' }, { axes: [{ label: 'time_of_flight', unit: 'ns' }, { label: 'pixel', unit: '' }] }), 0) // prettier-ignore
    const named = read({ kafka: { ...kafka, source: 'mantle' }, geometry })
    assert.equal(of(named, { ...counted, source: 'mantle' }), 1)
    assert.equal(of(named, { ...counted, source: 'other' }), 0)
    assert.equal(of(read({ kafka, geometry }, 'image'), { ...counted, data_topic: 'others' }), 1)
    assert.equal(of(read({ kafka, geometry }, 'other'), counted), 0)
  })

  it('say whether an image is all theirs', () => {
    const layouts = new Layouts([read({ kafka, geometry })])
    const isWhole = (input: object, shape: readonly number[]): boolean | undefined => {
      layouts.learn(jobs({ ...counted, ...input }))
      return layouts.gridsOf(row({ shape }))[0]?.isWhole
    }
    assert.equal(isWhole({}, [3, 8]), true)
    assert.equal(isWhole({}, [3, 7]), true)
    assert.equal(isWhole({}, [5, 5]), false)
    assert.equal(isWhole({ first_pixel: 100 }, [3, 8]), false)
  })

  it('belong to histograms of others by topic, source and number of pixels', () => {
    const of = (kafka: object, change: Partial<HistogramRow> = {}): number =>
      new Layouts([read({ kafka, geometry })]).gridsOf(row(change)).length
    assert.equal(of({ topic: 'seen' }), 1)
    assert.equal(of({ topic: 'seen' }, { shape: [24], axes: [{ label: '', unit: '' }] }), 1)
    assert.equal(of({ topic: 'seen' }, { shape: [3, 9] }), 0)
    assert.equal(of({ topic: 'seen' }, { shape: [2, 3, 4] }), 0)
    assert.equal(of({ topic: 'seen' }, { shape: [9999], axes: [{ label: 'detector_number', unit: '' }] }), 1)
    assert.equal(
      of(
        { topic: 'seen' },
        {
          axes: [
            { label: '', unit: 'ns' },
            { label: '', unit: '' }
          ]
        }
      ),
      0
    )
    assert.equal(of({ topic: 'unseen', source: 'somebody' }), 1)
    assert.equal(of({ topic: 'seen', source: 'nobody' }), 0)
  })

  it('tell which axis of an image runs first', () => {
    const isTurned = (change: Partial<HistogramRow>, input?: object): boolean | undefined => {
      const layouts = new Layouts([read({ kafka: { topic: 'seen' }, geometry: { xdim: 8, ydim: 3, zdim: 1 } }, 'image')]) // prettier-ignore
      if (input !== undefined) layouts.learn(jobs(input))
      return layouts.layoutOf(row(change), '0:xy')?.isTurned
    }
    const bare = [{ label: '', unit: '' }, { label: '', unit: '' }] // prettier-ignore
    assert.equal(isTurned({}), false)
    assert.equal(isTurned({}, { ...counted, first_pixel: 1, order: 'xy' }), true)
    assert.equal(isTurned({ shape: [8, 3], axes: [{ label: 'x', unit: '' }, { label: 'y', unit: '' }] }), true) // prettier-ignore
    assert.equal(isTurned({ axes: bare }), false)
    assert.equal(isTurned({ axes: bare, shape: [8, 3] }), true)
    assert.equal(isTurned({ axes: bare, source: 'just-bin-it' }), true)
    const layouts = new Layouts([read({ kafka: { topic: 'seen' }, geometry: { xdim: 8, ydim: 3, zdim: 1 } })])
    for (const name of ['1:xy', '0:zy', '0', '', '__proto__:xy']) assert.equal(layouts.layoutOf(row({}), name), undefined) // prettier-ignore
  })
})
