// Damaged messages of every schema: each decoder returns or throws BadMessage, soon and without much memory.
import assert from 'node:assert/strict'
import { BadMessage } from '../../core/api/plugin.js'
import { decodeJson } from '../../schemas/index.js'
import { writtenAgain } from '../support/control-messages.js'
import { converterParts, goldens, openConverter } from '../support/converters.js'
import { nasty, random } from '../support/random.js'

const ROUNDS = 300
function damage(good: Buffer, pick: (below: number) => number): Buffer {
  const bytes = Buffer.from(good)
  const kind = pick(4)
  if (kind === 0) return bytes.subarray(0, pick(bytes.length))
  for (let i = 0; i <= pick(4); i++) {
    const at = kind === 1 ? pick(bytes.length) : pick(Math.max(1, bytes.length - 4) >> 2) * 4
    if (kind === 1) bytes[at] = pick(256)
    else bytes.writeUInt32LE(nasty[pick(nasty.length)]!, at)
  }
  return bytes
}

/** Runs a decoder; only BadMessage may come out of it. */
function survives(run: () => unknown, what: string): boolean {
  try {
    run()
    return true
  } catch (error) {
    if (error instanceof BadMessage) return false
    throw new Error(`${what}: ${String(error)}`, { cause: error })
  }
}

/** Offset to `to` for the four bytes at `at`. */
const point = (bytes: Buffer, at: number, to: number): number => bytes.writeUInt32LE(to - at, at)

describe('damaged messages', function () {
  this.timeout(120_000)

  for (const { name, id, bytes } of goldens()) {
    it(`${name}: cut at every byte and changed at random`, async () => {
      const converter = (await converterParts()).has(id) ? await openConverter(id) : undefined
      const peek = { sourceStart: 0, sourceEnd: 0, timestampNs: 0n }
      const pick = random(bytes.length)
      const check = (bad: Buffer, what: string): void => {
        survives(() => decodeJson(bad), `decodeJson ${what} ${bad.toString('hex')}`)
        survives(() => writtenAgain[id]?.(bad), `classes ${what} ${bad.toString('hex')}`)
        survives(() => converter?.decode?.(bad), `converter ${what} ${bad.toString('hex')}`)
        const routed = survives(() => converter?.peek(bad, peek), `peek ${what} ${bad.toString('hex')}`)
        if (routed && converter !== undefined)
          assert.ok(peek.sourceStart <= peek.sourceEnd && peek.sourceEnd <= bad.length, what)
      }
      for (let end = 0; end < Math.min(bytes.length, 400); end++) check(bytes.subarray(0, end), `cut at ${end}`)
      for (let round = 0; round < ROUNDS; round++) check(damage(bytes, pick), `round ${round}`)
    })
  }

  it('reads a message at the end of its memory like any other', () => {
    for (const { bytes } of goldens().slice(0, 20)) {
      const larger = Buffer.concat([bytes, Buffer.alloc(64, 0xff)])
      for (let end = 8; end < bytes.length; end += 3) {
        const alone = survives(() => decodeJson(Buffer.from(bytes.subarray(0, end))), 'alone')
        assert.equal(
          survives(() => decodeJson(larger.subarray(0, end)), 'in a larger one'),
          alone
        )
      }
    }
  })

  it('is not led into endless nesting or repetition', () => {
    // f143: a tree whose every object lists the same next object many times; 40 levels of 50 would be 50^40 tables.
    const levels = 40
    const width = 50
    const bytes = Buffer.alloc(64 + levels * (width * 4 + 64))
    bytes.write('f143', 4, 'latin1')
    let at = 8
    const table = (slots: readonly number[], size: number): number => {
      const start = at + 4 + 2 * slots.length
      bytes.writeUInt16LE(4 + 2 * slots.length, at)
      bytes.writeUInt16LE(size, at + 2)
      slots.forEach((slot, i) => bytes.writeUInt16LE(slot, at + 4 + 2 * i))
      bytes.writeInt32LE(start - at, start)
      at = start + size
      return start
    }
    const root = table([0, 12, 8], 16)
    bytes.writeUInt8(12, root + 12)
    point(bytes, 0, root)
    let parent = root + 8
    for (let level = 0; level < levels; level++) {
      const object = table([4], 8)
      point(bytes, parent, object)
      const vector = at
      bytes.writeUInt32LE(width, vector)
      point(bytes, object + 4, vector)
      at = vector + 4 + 4 * width
      const member = table([0, 12, 8], 16)
      bytes.writeUInt8(12, member + 12)
      for (let i = 0; i < width; i++) point(bytes, vector + 4 + 4 * i, member)
      parent = member + 8
    }
    point(bytes, parent, table([], 4))
    assert.throws(() => decodeJson(bytes.subarray(0, at)), { reason: 'invalid_flatbuffer' })
  })

  it('names the reason', () => {
    assert.throws(() => decodeJson(Buffer.alloc(7)), { reason: 'too_small' })
    assert.throws(() => decodeJson(Buffer.from('....zzzz....')), { reason: 'unknown_schema' })
    assert.throws(() => decodeJson(Buffer.from('....is84....')), { reason: 'unknown_schema' })
    assert.throws(() => decodeJson(Buffer.from('\xff\xff\xff\xfff142....', 'latin1')), { reason: 'invalid_flatbuffer' })
    assert.throws(() => decodeJson(Buffer.from('....__proto__')), { reason: 'unknown_schema' })
  })
})
