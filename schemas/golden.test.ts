import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { layouts } from './generated/layouts.js'
import { decodeJson, encodeMessage, type Fields, schemaId, schemaIds, verify } from './index.js'

const folder = fileURLToPath(new URL('../../test/samples/golden/', import.meta.url))
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.bin'))
  .map((name) => name.slice(0, -4))

interface Sample {
  file_identifier: string
  message: Fields
}
const load = (name: string) => ({
  bytes: readFileSync(join(folder, `${name}.bin`)),
  sample: JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Sample
})

describe('golden messages', () => {
  it('cover every schema that is sent alone', () => {
    const parts = ['dtdb', 'fwdi', 'is84']
    const covered = new Set(names.map((name) => name.slice(0, 4)))
    assert.deepEqual([...covered, ...parts].sort(), schemaIds)
    assert.equal(schemaIds.length, 45)
  })

  for (const name of names) {
    it(`${name} decodes to its JSON, at any alignment`, () => {
      const { bytes, sample } = load(name)
      const { file_identifier, message } = sample
      assert.equal(schemaId(bytes), file_identifier)
      verify(bytes, layouts[file_identifier]!)
      assert.deepEqual(decodeJson(bytes), { file_identifier, message })
      for (const shift of [1, 2, 4]) {
        const moved = Buffer.concat([Buffer.alloc(shift, 0xff), bytes]).subarray(shift)
        assert.deepEqual(decodeJson(moved).message, message)
      }
    })

    it(`${name} is the same after encoding its JSON`, () => {
      const { file_identifier, message } = load(name).sample
      assert.deepEqual(decodeJson(encodeMessage(file_identifier, message)), { file_identifier, message })
    })
  }
})
