// A new file needs neither the HDF5 library nor any other WebAssembly; only to continue one is it loaded.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { dumpFile, newFiles } from '../support/hdf5.js'

const run = promisify(execFile)

describe('the HDF5 library', () => {
  const made = newFiles('direct')
  /** A process in which h5wasm cannot be imported and WebAssembly does not exist. */
  const without = async (script: string): Promise<string> => {
    const hooks = `export const resolve = (name, context, next) => {
      if (/h5wasm|hdf5_util|zstd-wasm/.test(name)) throw new Error('refused to import ' + name)
      return next(name, context)
    }`
    const code = `import { register } from 'node:module'
      register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)}))
      delete globalThis.WebAssembly
      const { createNexusFile } = await import(${JSON.stringify(new URL('../../plugins/service-filewriter/file/file.js', import.meta.url).href)})
      ${script}`
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code])
    return stdout
  }

  it('is not needed for a new file, whatever is written', async () => {
    const path = join(made.folder, 'alone.nxs')
    const script = `
      const file = await createNexusFile(${JSON.stringify(path)}, { fsync: 'never' })
      const entry = file.root.group('entry', { NX_class: 'NXentry' })
      entry.link('far', 'x.nxs:/x', 'external')
      const x = entry.column('x', { dtype: 'int32', compression: { filter: 'gzip' } })
      file.begin()
      x.appendNumber(1)
      file.lateStructure(() => {
        file.root.attribute('late', 'text')
        entry.datasetAttribute('x', 'units', 'm')
        entry.datasetAttribute('x', 'units', 'cm')
        entry.link('far2', 'x.nxs:/x', 'external')
        entry.column('y', { dtype: 'float64' }).appendNumber(2)
      })
      x.appendNumber(2)
      file.finish()
      entry.attribute('end', 'now')
      file.close()
      console.log('done')`
    assert.equal(await without(script), 'done\n')
    const found = await dumpFile(path)
    assert.deepEqual([found['entry/x']?.value, found['entry/x']?.attributes['units']?.[1]], [[1, 2], 'cm'])
    assert.deepEqual(Object.keys(found['entry']?.links ?? {}), ['far', 'far2'])
    assert.equal(found['entry']?.attributes['end']?.[1], 'now')
  })

  it('is needed to continue a file, and for its own back end', async () => {
    made.file.close()
    for (const options of [{ mode: 'continue' }, { backend: 'h5wasm' }]) {
      const path = 'mode' in options ? made.path : join(made.folder, 'new.nxs')
      const script = `await createNexusFile(${JSON.stringify(path)}, ${JSON.stringify(options)})`
      await assert.rejects(without(script), /refused to import h5wasm/)
    }
  })
})
