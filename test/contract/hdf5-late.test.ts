// Structure that changes while columns grow: planned here, and from some point on in the library's hands.
import assert from 'node:assert/strict'
import { dumpFile, newFiles } from '../support/hdf5.js'
import { type Column } from '../../plugins/service-filewriter/writer-part.js'

for (const backend of ['direct', 'h5wasm'] as const)
  describe(`late structure (${backend})`, () => {
    const made = newFiles(backend)

    it('changes structure again and again while columns grow, old objects too', async () => {
      const { file, path } = made
      const entry = file.root.group('entry', { NX_class: 'NXentry' })
      const x = entry.column('x', { dtype: 'int32', chunk: 4 })
      for (let i = 0; i < 40; i++) entry.group(`g${i}`).dataset('n', i, { dtype: 'int32' })
      file.begin()
      let expected = 0
      const late: Column[] = []
      for (let round = 0; round < 4; round++) {
        for (let i = 0; i < 9; i++) x.appendNumber(expected++)
        for (const column of late) column.appendNumber(round)
        file.checkpoint()
        file.lateStructure(() => {
          const group = entry.group(`late${round}`, { NX_class: 'NXlog', round: String(round) })
          late.push(group.column('y', { dtype: 'float64', attributes: { units: 'K' } }))
          file.group(`/entry/g${round}`)?.dataset('more', 'text '.repeat(20_000), { dtype: 'string' })
          entry.link(`x${round}`, '/entry/x', 'hard')
          entry.link(`again${round}`, `/entry/g${round}`, 'hard')
          file.root.link(`soft${round}`, `/entry/late${round}/y`)
          // From here on the library has the file in its hands
          if (round === 2) file.group('/entry/g30')?.attribute('note', 'late')
        })
      }
      x.appendNumber(expected++)
      file.finish()
      file.group('/entry/late3')?.datasetAttribute('y', 'units', 'mK')
      entry.dataset('end', 1, { dtype: 'int8' })
      file.close()
      const found = await dumpFile(path)
      const numbers = Array.from({ length: expected }, (_, i) => i)
      const ofX = ['x', 'x0', 'x1', 'x2', 'x3'].flatMap((name) => found[`entry/${name}`] ?? [])
      assert.ok(ofX.length >= 1)
      for (const { value } of ofX) assert.deepEqual(value, numbers)
      for (let round = 0; round < 4; round++) {
        const y = found[`entry/late${round}/y`]
        assert.deepEqual(y?.value, [1, 2, 3].slice(round))
        assert.deepEqual(y?.attributes['units']?.[1], round === 3 ? 'mK' : 'K')
        const g = found[`entry/g${round}/more`] ?? found[`entry/again${round}/more`]
        assert.equal(g?.value, 'text '.repeat(20_000))
      }
      assert.equal(found['entry/g30']?.attributes['note']?.[1], 'late')
      assert.equal(found['entry/end']?.value, 1)
    })
  })
