import assert from 'node:assert/strict'
import { Dbr, decodeControl, decodeTime } from './dbr.js'

/** DBR_TIME payload: status, severity, seconds since 1990, ns, then `rest` at `valueAt`. */
function time(
  status: number,
  severity: number,
  [seconds, ns]: [number, number],
  valueAt: number,
  rest: Buffer
): Buffer {
  const bytes = Buffer.alloc(valueAt + rest.length)
  bytes.writeUInt16BE(status, 0)
  bytes.writeUInt16BE(severity, 2)
  bytes.writeUInt32BE(seconds, 4)
  bytes.writeUInt32BE(ns, 8)
  rest.copy(bytes, valueAt)
  return bytes
}
const viewOf = (bytes: Buffer) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const decode = (native: number, count: number, isArray: boolean, bytes: Buffer, isText = false) =>
  decodeTime({ type: native, isArray, isText }, { count, bytes, view: viewOf(bytes), start: 0, end: bytes.length })

describe('CA values', () => {
  const cases: [string, number, number, Buffer, unknown, string][] = [
    ['SHORT', Dbr.SHORT, 14, Buffer.from([0xff, 0xfe]), -2, 'int16'],
    ['FLOAT', Dbr.FLOAT, 12, Buffer.from([0x3f, 0xc0, 0, 0]), 1.5, 'float32'],
    ['ENUM', Dbr.ENUM, 14, Buffer.from([0, 3]), 3, 'enum'],
    ['CHAR', Dbr.CHAR, 15, Buffer.from([255]), 255, 'uint8'],
    ['LONG', Dbr.LONG, 12, Buffer.from([0xff, 0xff, 0xff, 0xff]), -1, 'int32'],
    ['DOUBLE', Dbr.DOUBLE, 16, Buffer.from([0x40, 0x0a, 0, 0, 0, 0, 0, 0]), 3.25, 'float64'],
    ['STRING', Dbr.STRING, 12, Buffer.from('hi\0'.padEnd(40, 'x')), 'hi', 'string']
  ]
  for (const [name, native, valueAt, rest, value, dtype] of cases) {
    it(`${name}: scalar, and one element of an array`, () => {
      const bytes = time(3, 2, [1_000_000_000, 123_456_789], valueAt, rest)
      const scalar = decode(native, 1, false, bytes)
      assert.equal(scalar.value, value)
      assert.equal(scalar.dtype, dtype)
      assert.deepEqual(scalar.alarm, { severity: 2, status: 3, message: 'HIHI' })
      assert.equal(scalar.timestampNs, 1_631_152_000_123_456_789n)
      const array = decode(native, 1, true, bytes).value
      assert.ok(Array.isArray(array) ? array.length === 1 : (array as { length: number }).length === 1)
    })

    it(`${name}: too short`, () => {
      const bytes = time(0, 0, [1, 0], valueAt, rest.subarray(0, rest.length - 1))
      assert.throws(() => decode(native, 1, false, bytes), RangeError)
      assert.throws(() => decode(native, 0xffffffff, true, bytes), RangeError)
    })
  }

  it('CHAR as text ends at the first NUL', () => {
    const bytes = time(0, 0, [1, 0], 15, Buffer.from('température\0rest'))
    assert.equal(decode(Dbr.CHAR, 17, true, bytes, true).value, 'température')
  })

  it('an empty string scalar is a string, an empty array an array', () => {
    const bytes = time(0, 0, [1, 0], 16, Buffer.alloc(0))
    assert.equal(decode(Dbr.STRING, 0, false, bytes).value, '')
    assert.deepEqual(decode(Dbr.STRING, 0, true, bytes).value, [])
    assert.equal((decode(Dbr.DOUBLE, 0, true, bytes).value as { length: number }).length, 0)
  })

  it('enum labels without a NUL and more than sixteen', () => {
    const bytes = Buffer.alloc(6 + 16 * 26, 'a')
    bytes.writeUInt16BE(99, 4)
    const { enumStrings } = decodeControl(Dbr.ENUM, { bytes, view: viewOf(bytes), start: 0, end: bytes.length })
    assert.equal(enumStrings?.length, 16)
    assert.equal(enumStrings[0], 'a'.repeat(26))
    assert.throws(() => decodeControl(Dbr.ENUM, { bytes, view: viewOf(bytes), start: 0, end: 40 }), RangeError)
    // Their number is not read out of what follows
    const at = bytes.length - 2
    const cut = { bytes, view: viewOf(bytes), start: at, end: bytes.length }
    assert.throws(() => decodeControl(Dbr.ENUM, cut), { message: 'CA: metadata too short' })
  })
})
