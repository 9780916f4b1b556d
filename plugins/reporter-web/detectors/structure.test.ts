import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CodedError } from '../../../core/api/plugin.js'
import { type DetectorGrid } from './description.js'
import { detectorsOf } from './index.js'

const dataset = (name: string, values: unknown): object => ({ module: 'dataset', config: { name, dtype: 'double', values } }) // prettier-ignore
const oldDataset = (name: string, values: unknown): object => ({ type: 'dataset', name, dataset: { type: 'double' }, values }) // prettier-ignore
const group = (name: string, nx: unknown, children: readonly object[]): object => ({ type: 'group', name, attributes: nx, children }) // prettier-ignore
const detector = [{ name: 'NX_class', dtype: 'string', values: 'NXdetector' }]
const events = (topic: string, source: string): object => ({ module: 'ev44', config: { topic, source } })

describe('detectors of a nexus_structure', () => {
  let folder: string
  let count = 0
  before(() => (folder = mkdtempSync(join(tmpdir(), 'nexstream-structure-'))))
  after(() => rmSync(folder, { recursive: true }))

  const read = (content: unknown): DetectorGrid[] => {
    const structure = join(folder, `structure${count++}.json`)
    writeFileSync(structure, JSON.stringify(content))
    return detectorsOf([{ structure }])
  }
  const one = (...children: readonly object[]): DetectorGrid => {
    const found = read({ children: [group('entry', {}, [group('bank', { NX_class: 'NXdetector' }, children)])] })
    assert.equal(found.length, 1)
    return found[0]!
  }
  /** Number of the pixel at each place, x first; -1: none. */
  const pixelsOf = ({ grid: { size, first, places } }: DetectorGrid): number[] => {
    const out = new Array<number>(size[0] * size[1] * size[2]).fill(-1)
    if (places === null) return out.map((_, i) => first + i)
    for (const [i, place] of places.entries()) if (place >= 0) out[place] = first + i
    return out
  }

  it('are its NXdetectors with detector_number, of either grammar and within a command', () => {
    const bank = group('bank', detector, [
      oldDataset('detector_number', [[5, 6, 7], [8, 9, 10]]),
      group('events', {}, [{ type: 'stream', stream: { topic: 'old_events', source: 'bank', writer_module: 'ev42' } }])
    ]) // prettier-ignore
    const monitor = group('monitor', { NX_class: { values: 'NXmonitor' } }, [dataset('detector_number', [1])])
    const other = group('arm', {}, [group('bank', { NX_class: { value: 'NXdetector' } }, [dataset('detector_number', [[[90]]]), events('a', 's'), events('b', 's')])]) // prettier-ignore
    const plain = group('gauge', { NX_class: 'NXdetector' }, [dataset('data', [1, 2])])
    const structure = { children: [group('entry', { NX_class: 'NXentry' }, [monitor, plain, bank, other])] }
    const expected = [
      { grid: { id: 0, name: '/entry/bank', size: [3, 2, 1], first: 5, places: null }, topic: 'old_events', sources: ['bank'], histogram: undefined },
      { grid: { id: 1, name: '/entry/arm/bank', size: [1, 1, 1], first: 90, places: null }, topic: undefined, sources: [], histogram: undefined }
    ] // prettier-ignore
    for (const content of [
      structure,
      { cmd: 'start', nexus_structure: structure },
      { cmd: 'FileWriter_new', nexus_structure: JSON.stringify(structure) }
    ])
      assert.deepEqual(read(content), expected)
  })

  it('lie as their offsets say', () => {
    const numbers = dataset('detector_number', [1, 2, 3, 4, 5, 6])
    // Columns first, and from the right
    const bank = one(numbers, dataset('x_pixel_offset', [3, 3, 2, 2, 1, 1.000000001]), dataset('y_pixel_offset', [0, 1, 0, 1, 0, 1])) // prettier-ignore
    assert.deepEqual([bank.grid.name, bank.grid.size, pixelsOf(bank)], ['bank', [3, 2, 1], [5, 3, 1, 6, 4, 2]])
    // Of columns and rows
    const flat = one(numbers, dataset('x_pixel_offset', [-1, 0, 1]), dataset('y_pixel_offset', [1, 0]))
    assert.deepEqual(pixelsOf(flat), [4, 5, 6, 1, 2, 3])
    const table = one(dataset('detector_number', [[1, 2, 3], [11, 12, 13]]), dataset('x_pixel_offset', [1, 2, 3]), dataset('y_pixel_offset', [1, 2])) // prettier-ignore
    assert.deepEqual([table.grid.first, pixelsOf(table)], [1, [1, 2, 3, 11, 12, 13]])
    const deep = one(numbers, dataset('x_pixel_offset', [0, 0, 0, 0, 0, 0]), dataset('y_pixel_offset', [0, 0, 0, 1, 1, 1]), dataset('z_pixel_offset', [2, 1, 0, 2, 1, 0])) // prettier-ignore
    assert.deepEqual([deep.grid.size, pixelsOf(deep)], [[1, 2, 3], [3, 6, 2, 5, 1, 4]]) // prettier-ignore
  })

  it('lie as detector_number has them where offsets make no grid', () => {
    const round = one(dataset('detector_number', [[1, 2], [3, 4]]), dataset('x_pixel_offset', [[0, 1], [0.3, 0.9]]), dataset('y_pixel_offset', [[0, 0], [1, 1]])) // prettier-ignore
    assert.deepEqual([round.grid.size, round.grid.places], [[2, 2, 1], null])
    const same = one(dataset('detector_number', [7, 8]), dataset('x_pixel_offset', [0, 0]), dataset('y_pixel_offset', [0, 0])) // prettier-ignore
    assert.deepEqual(same.grid.size, [2, 1, 1])
    assert.deepEqual(one(dataset('detector_number', 4)).grid.size, [1, 1, 1])
    assert.deepEqual(one(dataset('detector_number', [2, 1]), dataset('x_pixel_offset', 'wide')).grid.size, [2, 1, 1])
  })

  it('are refused by file, path and what is wrong', () => {
    const bank = (values: unknown): object => ({ children: [group('bank', { NX_class: 'NXdetector' }, [dataset('detector_number', values)])] }) // prettier-ignore
    const wrong: readonly (readonly [unknown, RegExp])[] = [
      [[], /must be a JSON object/],
      [{}, /has no NXdetector with a dataset detector_number/],
      [{ children: [null, 3, { children: 7, name: {} }] }, /has no NXdetector/],
      [{ nexus_structure: '{' }, /\/nexus_structure is no JSON/],
      [{ nexus_structure: 7 }, /\/nexus_structure must be a JSON object/],
      [bank([]), /\/bank\/detector_number has no pixels/],
      [bank([[1, 2], [3]]), /must be numbers, in lists of one length/],
      [bank('all'), /must be numbers/],
      [bank([1, -2]), /has the value -2/],
      [bank([1.5]), /has the value 1.5/],
      [bank([1, 2, 1]), /has pixel 1 twice/],
      [bank([1, 100_000_000]), /spans 100000000 numbers/],
      [bank([[[[1]]]]), /has 4 axes/],
      [bank(Array.from({ length: 65_537 }, (_, i) => i)), /a side may have 65536/]
    ] // prettier-ignore
    for (const [content, text] of wrong)
      assert.throws(() => read(content), (error: unknown) => {
        assert.ok(error instanceof CodedError)
        assert.deepEqual([error.code, error.path], ['CONFIG_INVALID', '/reporters/web/detectors/0/structure'])
        assert.match(error.message, text)
        return true
      }) // prettier-ignore
    assert.throws(() => detectorsOf([{}]), /either daqlite or structure/)
    assert.throws(() => detectorsOf([{ daqlite: 'a', structure: 'b' }]), /either daqlite or structure/)
  })
})
