// Chunks packed by each filter, read back by h5py with its plugins.
import assert from 'node:assert/strict'
import { type VectorType } from '../../schemas/index.js'
import { type Column } from '../../plugins/service-filewriter/writer-part.js'
import { newFiles } from '../support/hdf5.js'
import { runPython } from '../support/python.js'

describe('filters of chunks', () => {
  const opened = newFiles('direct')

  it('packs by every filter, with and without shuffle, as h5py with its plugins reads it', async () => {
    const { file, path } = opened
    const ways = (['gzip', 'zstd', 'lz4', 'bitshuffle'] as const).flatMap((filter) =>
      [false, true].map((shuffle) => ({ name: `${filter}_${shuffle}`, compression: { filter, shuffle } }))
    )
    const columns = ways.map(({ name, compression }) => {
      const group = file.root.group(name)
      const made = (column: string, dtype: VectorType, more: object = {}): Column =>
        group.column(column, { dtype, chunk: 100, compression, ...more })
      return {
        numbers: made('numbers', 'float64'),
        bytes: made('bytes', 'int8'),
        rows: made('rows', 'uint16', { row: [3], chunk: 7 }),
        texts: group.column('texts', { dtype: { string: 3 }, chunk: 10, compression }),
        // As good as random: no filter makes less of it
        noise: made('noise', 'uint32')
      }
    })
    file.begin()
    let word = 1
    for (let i = 0; i < 1050; i++) {
      word = (Math.imul(word, 1664525) + 1013904223) >>> 0
      for (const { numbers, bytes, rows, texts, noise } of columns) {
        numbers.appendNumber(i / 4)
        bytes.appendNumber(i % 100)
        rows.append(new Uint8Array(Uint16Array.of(i, i + 1, i + 2).buffer))
        texts.appendString(`t${i % 10}`)
        noise.appendNumber(word)
      }
      // The last chunk is only partly filled then
      if (i % 333 === 0) file.checkpoint()
    }
    file.close()
    const script = `import h5py, hdf5plugin, numpy as np, sys
with h5py.File(sys.argv[1]) as f:
    n, word, noise = np.arange(1050), 1, []
    for _ in n:
        word = (word * 1664525 + 1013904223) % 2**32
        noise.append(word)
    for name, g in f.items():
        assert (g['numbers'][()] == n / 4).all(), name
        assert (g['bytes'][()] == n % 100).all(), name
        assert (g['rows'][()] == np.stack([n, n + 1, n + 2], 1)).all(), name
        assert [t.decode() for t in g['texts'][()]] == [f't{i % 10}' for i in n], name
        assert (g['noise'][()] == noise).all(), name
        filters = [g['numbers'].id.get_create_plist().get_filter(i)[0] for i in range(g['numbers'].id.get_create_plist().get_nfilters())]
        print(name, *filters)
`
    const lines = (await runPython(script, [path])).trim().split('\n')
    assert.deepEqual(lines, [
      'bitshuffle_false 32008',
      'bitshuffle_true 32008',
      'gzip_false 1',
      'gzip_true 2 1',
      'lz4_false 32004',
      'lz4_true 2 32004',
      'zstd_false 32015',
      'zstd_true 2 32015'
    ])
  })
})
