import assert from 'node:assert/strict'
import { BadMessage } from '../core/api/errors.js'
import { writtenAgain } from '../test/support/control-messages.js'
import { goldens } from '../test/support/converters.js'
import { nasty, random } from '../test/support/random.js'
import { RunStart, verified } from './control.js'
import { decodeJson, encodeMessage, verify } from './index.js'
import { type SchemaLayout } from './layout.js'
import { readStreamChange, writeStreamChange } from './stream-changes.js'

const control = goldens().filter(({ id }) => Object.hasOwn(writtenAgain, id))

/** What a message says when it is sound; the reason why it is not. */
function said(id: string, bytes: Uint8Array): string {
  try {
    return Buffer.from(writtenAgain[id]!(bytes)).toString('base64')
  } catch (error) {
    if (error instanceof BadMessage) return error.reason
    throw error
  }
}

describe('control messages', () => {
  it('have samples of each schema', () => assert.equal(new Set(control.map(({ id }) => id)).size, 7))

  // pl72-x2 has a map without vectors, which come back as empty ones
  for (const { name, id, bytes } of control.filter(({ name }) => name !== 'pl72-x2'))
    it(`${name} says the same when read and written by the classes of flatc`, () => {
      const again = decodeJson(writtenAgain[id]!(bytes)).message
      const { streams, ...rest } = decodeJson(bytes).message as { streams?: Record<string, unknown>[] | null }
      if (id !== 'fc00' && id !== 'rf5k') return assert.deepEqual(again, rest)
      // Absent texts are "", no streams are none, the period is a flag
      const plain = ([key, value]: [string, unknown]) => [key, key === 'periodic' ? Math.min(Number(value), 1) : (value ?? '')] // prettier-ignore
      const full = (streams ?? []).map((stream) => Object.fromEntries(Object.entries(stream).map(plain)) as object)
      assert.deepEqual(again, { ...rest, streams: full.length === 0 ? null : full })
    })

  it('are read inside their own bytes only, however they are damaged', () => {
    const pick = random(7)
    for (const { name, id, bytes } of control) {
      for (let round = 0; round < 1000; round++) {
        const bad = Buffer.from(bytes)
        for (let i = 0; i <= pick(3); i++)
          if (round % 2 === 0) bad[pick(bad.length)] = pick(256)
          else bad.writeUInt32LE(nasty[pick(nasty.length)]!, pick(bad.length - 4))
        // What lies around it must not matter
        const [a, b] = [0x00, 0xff].map((fill) => {
          const around = Buffer.alloc(bad.length + 65, fill)
          bad.copy(around, 33)
          return said(id, around.subarray(33, 33 + bad.length))
        })
        assert.equal(a, b, `${name} ${bad.toString('hex')}`)
      }
    }
  })

  it('are refused when a field lies where the classes would look before the message', () => {
    const bytes = encodeMessage('pl72', { job_id: 'j' })
    const table = bytes.readUInt32LE(0)
    const vtable = table - bytes.readInt32LE(table)
    const large = Buffer.concat([bytes, Buffer.alloc(0x9000)])
    assert.equal(RunStart.getRootAsRunStart(verified(large, 'pl72')).jobId(), 'j')
    large.writeUInt16LE(0x8100, vtable + 4 + 2 * 5)
    assert.throws(() => verified(large, 'pl72'), { reason: 'invalid_flatbuffer' })
    // Its list of 2^31 streams stands in half an entry of the vtable
    const half = Buffer.from('100000007266356b000007000800060006000000000002000000' + '80', 'hex')
    assert.throws(() => verified(half, 'rf5k'), { reason: 'invalid_flatbuffer' })
  })

  it('verify: required fields, other schemas, repetition without end', () => {
    assert.throws(() => verified(encodeMessage('pl72', {}), 'answ'), { reason: 'wrong_schema' })
    assert.throws(() => verified(Buffer.alloc(3), 'answ'), { reason: 'too_small' })
    const layout: SchemaLayout = {
      id: 'tr00',
      root: 'Node',
      structs: {},
      tables: {
        Node: [{ name: 'nodes', slot: 0, kind: 'vector', of: { kind: 'table', table: 'Node' }, required: true }]
      }
    }
    // A table, its vtable behind it, and a vector whose elements all are the table of the next level
    const [width, levels] = [20, 8]
    const level = 4 + 4 + 4 + 4 * width + 8
    const bytes = Buffer.alloc(8 + levels * level)
    bytes.writeUInt32LE(8, 0)
    bytes.write('tr00', 4, 'latin1')
    for (let at = 8; at < bytes.length; at += level) {
      const [vector, vtable] = [at + 8, at + level - 8]
      bytes.writeInt32LE(at - vtable, at)
      bytes.writeUInt32LE(4, at + 4)
      bytes.writeUInt16LE(6, vtable)
      bytes.writeUInt16LE(8, vtable + 2)
      bytes.writeUInt16LE(4, vtable + 4)
      const last = at + level >= bytes.length
      bytes.writeUInt32LE(last ? 0 : width, vector)
      if (!last)
        for (let i = 0; i < width; i++) bytes.writeUInt32LE(at + level - (vector + 4 + 4 * i), vector + 4 + 4 * i)
    }
    assert.throws(() => verify(bytes, layout), { reason: 'invalid_flatbuffer', message: /over and over/ })
    const last = bytes.length - level
    const alone = Buffer.from(bytes)
    alone.writeUInt32LE(last, 0)
    verify(alone, layout)
    alone.writeUInt16LE(0, bytes.length - 4)
    assert.throws(() => verify(alone, layout), { reason: 'missing_field' })
  })

  it('rf5k has no replacing, and no streams are no vector', () => {
    assert.equal(readStreamChange(encodeMessage('rf5k', { config_change: { value: 3 } }), 'rf5k').change, undefined)
    assert.equal(decodeJson(writeStreamChange('fc00', 'REMOVEALL', [])).message['streams'], null)
  })
})
