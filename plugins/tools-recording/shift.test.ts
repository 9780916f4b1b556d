import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../core/root.js'
import { decodeJson, schemaId } from '../../schemas/index.js'
import { shiftedFields, shiftTimes } from './shift.js'

const folder = join(packageRoot, 'test/samples/golden')
const DELTA_MS = 86_400_123
const commands = new Set(['6s4t', 'answ', 'pl72'])

/** What the field should become. */
function moved(id: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => moved(id, item))
  if (typeof value === 'number') return value > 0 ? value + DELTA_MS / 1000 : value
  const ns = BigInt(value as string)
  const sum = ns + BigInt(DELTA_MS) * (commands.has(id) ? 1n : 1_000_000n)
  return ns > 0n && sum < 2n ** 63n ? String(sum) : value
}

describe('shifting of times', () => {
  const samples = readdirSync(folder).filter((name) => name.endsWith('.bin'))

  it('moves the times of every schema that has some, and nothing else', () => {
    const shifted = new Set<string>()
    for (const name of samples) {
      const bytes = readFileSync(join(folder, name))
      const id = schemaId(bytes) ?? ''
      const copy = Buffer.from(bytes)
      const { message: before } = decodeJson(bytes)
      assert.equal(shiftTimes(copy, DELTA_MS), Object.hasOwn(shiftedFields, id), name)
      const { message: after } = decodeJson(copy)
      for (const field of shiftedFields[id] ?? []) {
        assert.ok(field in before, `${id} has ${field}`)
        const expected = before[field] === null ? null : moved(id, before[field])
        assert.deepEqual(after[field], expected, `${name} ${field}`)
        if (expected !== null && !Array.isArray(expected) && expected !== before[field]) shifted.add(id)
        if (Array.isArray(expected) && expected.length > 0) shifted.add(id)
      }
      const others = (all: object): object =>
        Object.fromEntries(Object.entries(all).filter(([key]) => shiftedFields[id]?.includes(key) !== true))
      assert.deepEqual(others(after), others(before), name)
    }
    assert.deepEqual([...shifted].sort(), Object.keys(shiftedFields).sort())
  })

  it('leaves alone what is no sound message', () => {
    for (const name of samples.filter((one) => one.startsWith('ev44') || one.startsWith('se00'))) {
      const bytes = readFileSync(join(folder, name))
      for (let length = 0; length < Math.min(bytes.length, 60); length++) {
        const cut = Buffer.from(bytes.subarray(0, length))
        if (!shiftTimes(cut, 1)) assert.ok(cut.equals(bytes.subarray(0, length)))
      }
    }
    assert.equal(shiftTimes(Buffer.from('{"time": 5}'), 1), false)
  })

  it('is listed in the README', () => {
    const readme = readFileSync(join(packageRoot, 'plugins/tools-recording/README.md'), 'utf8')
    for (const id of Object.keys(shiftedFields)) assert.ok(readme.includes(`\`${id}\``), id)
  })
})
