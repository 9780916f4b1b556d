// Rows that become larger while a file is written: what h5py reads, at any moment, through links and after other changes.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { repair } from '../../plugins/service-filewriter/file/repair.js'
import { dumpFile, newFiles } from '../support/hdf5.js'
import { type Column } from '../../plugins/service-filewriter/writer-part.js'

const doubles = (...values: number[]): Uint8Array => new Uint8Array(Float64Array.from(values).buffer)

describe('rows that grow', () => {
  const made = newFiles('direct')

  const grow = (column: Column, ...row: number[]): Column => {
    const grown = column.grow(row)
    assert.ok(grown)
    return grown
  }

  for (const compression of [undefined, { filter: 'gzip' }] as const)
    it(`scalars become arrays, arrays longer ones; links and attributes stay (${compression?.filter ?? 'plain'})`, async () => {
      const { file, path, folder } = made
      const entry = file.root.group('entry')
      const options = {
        dtype: 'float64',
        chunk: 8,
        attributes: { units: 'K' },
        ...(compression && { compression })
      } as const
      let x = entry.column('x', options)
      const time = entry.column('time', { dtype: 'uint64', index: true })
      entry.link('again', '/entry/x', 'hard')
      file.begin()
      const expected: number[][] = []
      const append = (...values: number[]): void => {
        if (values.length > 1) x.append(doubles(...values))
        else x.appendNumber(values[0] ?? 0)
        expected.push(values)
        time.appendNumber(expected.length)
      }
      const check = async (copy: string): Promise<void> => {
        const found = await dumpFile(copy)
        const width = Math.max(...expected.map(({ length }) => length))
        const full = expected.map((row) => [...row, ...Array<number>(width - row.length).fill(0)])
        const wanted = width === 1 ? full.flat() : full
        const seen = ['entry/x', 'entry/again'].flatMap((name) => found[name] ?? [])
        assert.ok(seen.length >= 1)
        for (const one of seen) assert.deepEqual(one.value, wanted)
        assert.deepEqual(seen[0]?.attributes['units']?.[1], 'K')
        assert.equal((found['entry/time']?.value as unknown[]).length, expected.length)
      }
      // A copy between checkpoints is what a reader finds: the rows of the last one, in the old shape
      const copy = join(folder, 'copy.nxs')
      const snapshot = async (): Promise<void> => {
        writeFileSync(copy, readFileSync(path))
        await check(copy)
      }
      for (let i = 0; i < 21; i++) append(i)
      file.checkpoint()
      await snapshot()
      x = grow(x, 3)
      writeFileSync(copy, readFileSync(path))
      const before = await dumpFile(copy)
      assert.deepEqual((before['entry/x'] ?? before['entry/again'])?.shape, [21])
      append(1, 2, 3)
      file.checkpoint()
      await snapshot()
      for (const width of [4, 5, 6, 7, 40]) {
        x = grow(x, width)
        for (let i = 0; i < 5; i++) append(...Array.from({ length: width }, (_, k) => 10 * k + i))
        if (width !== 5) file.checkpoint()
        await (width === 5 ? undefined : snapshot())
        file.lateStructure(() => entry.group(`late${width}`))
      }
      file.finish()
      file.group('/entry')?.datasetAttribute('x', 'units', 'K')
      file.close()
      await check(path)
      assert.deepEqual(await repair(path), { path, actions: [], notes: [] })
    })

  it('frames grow in each dimension, the rows before the first checkpoint too', async () => {
    const { file, path } = made
    let frames = file.root.column('frames', { dtype: 'uint8', row: [2, 2], bulk: true })
    file.begin()
    frames.append(Uint8Array.of(1, 2, 3, 4))
    frames = grow(frames, 2, 3)
    frames.append(Uint8Array.of(1, 2, 3, 4, 5, 6))
    frames = grow(frames, 3, 3)
    frames.append(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9))
    assert.equal(frames.grow([3, 3, 3]), undefined)
    file.finish()
    file.close()
    const { frames: found } = await dumpFile(path)
    assert.deepEqual(found?.shape, [3, 3, 3])
    assert.deepEqual(found?.maxshape, [null, null, null])
    assert.deepEqual(found?.value, [
      [[1, 2, 0], [3, 4, 0], [0, 0, 0]],
      [[1, 2, 3], [4, 5, 6], [0, 0, 0]],
      [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    ]) // prettier-ignore
  })

  it('costs at most a few times what is written, however often rows grow', () => {
    const { file } = made
    let x = file.root.column('x', { dtype: 'float64', row: [1], chunk: 64 })
    file.begin()
    for (let n = 2; n <= 300; n++) {
      x = grow(x, n)
      x.append(doubles(...Array<number>(n).fill(n)))
    }
    file.finish()
    assert.ok(file.bytes < 16 * 300 * 300 * 8, `${file.bytes}`)
  })
})
