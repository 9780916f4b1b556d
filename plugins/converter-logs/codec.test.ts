import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Vector, type VectorType, decodeJson, element, type LogRecord } from '../../schemas/index.js'
import { random } from '../../test/support/random.js'
import { logF142, logF144 } from './codec.js'

const golden = fileURLToPath(new URL('../../../test/samples/golden/', import.meta.url))
const samples = (id: string) => readdirSync(golden).filter((name) => name.startsWith(id) && name.endsWith('.bin'))
// prettier-ignore
const types: VectorType[] = [
  'int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64', 'float32', 'float64'
]
const vector = (dtype: VectorType, array: ArrayBufferView & { length: number }): Vector => ({
  dtype,
  length: array.length,
  bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
})

describe('f142 and f144', () => {
  for (const codec of [logF142, logF144]) {
    it(`${codec.id}: every scalar type comes back as it was, aligned for other readers`, () => {
      const values: (number | bigint)[] = [-7, 250, -3000, 60000, -70000, 4e9, -(2n ** 63n), 2n ** 64n - 1n, 0.1, -0]
      types.forEach((dtype, i) => {
        const value = dtype === 'float32' ? Math.fround(0.1) : values[i]!
        for (const source of ['P', 'SIM:motor.RBV', 'Ж:µ', 'x'.repeat(300)]) {
          const record = { source, timestampNs: 1_700_000_000_123_456_789n, dtype, value, alarm: undefined }
          const bytes = codec.encode(record)
          assert.deepEqual(codec.decode(bytes), record)
          const peek = { sourceStart: 0, sourceEnd: 0, timestampNs: 0n }
          codec.peek(bytes, peek)
          assert.equal(bytes.toString('utf8', peek.sourceStart, peek.sourceEnd), source)
          assert.equal(peek.timestampNs, record.timestampNs)
          const json = decodeJson(bytes)
          assert.equal(json.message['source_name'], source)
        }
      })
    })

    it(`${codec.id}: vectors keep every element and are views of the message`, () => {
      for (const length of [0, 1, 3, 1000]) {
        const doubles = Float64Array.from({ length }, (_, i) => i / 3)
        const record = {
          source: 'PV',
          timestampNs: 5n,
          dtype: 'float64',
          value: vector('float64', doubles)
        } satisfies LogRecord
        const bytes = codec.encode(record)
        const value = codec.decode(bytes).value as Vector
        assert.equal(value.bytes.buffer, bytes.buffer)
        assert.deepEqual(
          Array.from({ length: value.length }, (_, i) => element(value, i)),
          [...doubles]
        )
      }
    })

    for (const name of samples(codec.id)) {
      it(`${name}: the same value as in its JSON`, () => {
        const bytes = readFileSync(golden + name)
        const { message } = JSON.parse(readFileSync(golden + name.replace('.bin', '.json'), 'utf8')) as {
          message: {
            source_name: string | null
            timestamp: string
            value: { type_id: number }
            severity?: { value: number }
          }
        }
        if (message.value.type_id === 0 || message.source_name === null) {
          assert.throws(() => codec.decode(bytes), { reason: 'missing_field' })
          return
        }
        if (BigInt.asIntN(64, BigInt(message.timestamp)) <= 0n) {
          assert.throws(() => codec.decode(bytes), { reason: 'bad_timestamp' })
          return
        }
        const record = codec.decode(bytes)
        assert.equal(record.source, message.source_name)
        assert.equal(record.timestampNs, BigInt(message.timestamp))
        // A status without a severity is no alarm.
        if (record.alarm === undefined) assert.ok(message.severity === undefined || message.severity.value === 4)
        else assert.deepEqual(decodeJson(codec.encode(record)).message, message)
        assert.deepEqual(codec.decode(codec.encode(record)), record)
      })
    }
  }

  it('f142 maps EPICS severities to its own order and leaves the alarm out when there is none', () => {
    const wire = [2, 0, 1, 3]
    for (let severity = 0; severity < 4; severity++) {
      const alarm = { severity, status: 3 }
      const bytes = logF142.encode({ source: 'P', timestampNs: 1n, dtype: 'int32', value: 1, alarm })
      assert.deepEqual(logF142.decode(bytes).alarm, alarm)
      const message = decodeJson(bytes).message as Record<string, { value: number }>
      assert.equal(message['severity']?.value, wire[severity])
      assert.equal(message['status']?.value, 3)
    }
    const none = logF142.encode({ source: 'P', timestampNs: 1n, dtype: 'int32', value: 1 })
    assert.deepEqual(decodeJson(none).message['status'], { name: 'NO_CHANGE', value: 22 })
    assert.deepEqual(decodeJson(none).message['severity'], { name: 'NO_CHANGE', value: 4 })
  })

  for (const codec of [logF142, logF144])
    it(`${codec.id}: the short way for one number says what peek and decode say, or nothing`, () => {
      let numbers = 0
      const compare = (bytes: Buffer, name: string): void => {
        const out = { timestampNs: 0n, timeHigh: 0, timeLow: 0, sourceStart: 0, sourceEnd: 0, dtype: 'int8' as VectorType, value: NaN as number | bigint, severity: 7, status: 7 } // prettier-ignore
        const around = Buffer.concat([Buffer.alloc(3, 0xee), bytes, Buffer.alloc(5, 0xee)])
        const view = new DataView(around.buffer, around.byteOffset, around.length)
        const short = codec.scalar(view, 3, 3 + bytes.length, out)
        let record: LogRecord
        const peeked = { sourceStart: 0, sourceEnd: 0, timestampNs: 0n }
        try {
          codec.peek(bytes, peeked)
          record = codec.decode(bytes)
        } catch {
          return assert.equal(short, false, `${name}: the short way took what is not sound`)
        }
        const isNumber = typeof record.value === 'number' || typeof record.value === 'bigint'
        assert.equal(short, isNumber, name)
        if (!isNumber) return
        numbers++
        const { dtype, value, alarm, timestampNs } = record
        assert.deepEqual([out.dtype, out.value, out.severity], [dtype, value, alarm?.severity ?? -1], name)
        assert.deepEqual([out.sourceStart - 3, out.sourceEnd - 3], [peeked.sourceStart, peeked.sourceEnd], name)
        assert.equal((BigInt(out.timeHigh) << 32n) | BigInt(out.timeLow), timestampNs, name)
        if (alarm !== undefined) assert.equal(out.status, alarm.status)
      }
      const below = random(142)
      for (const name of samples(codec.id)) {
        const bytes = readFileSync(golden + name)
        if (bytes.length > 4096) continue
        compare(bytes, name)
        for (let i = 0; i < 300; i++) {
          const damaged = Buffer.from(
            bytes.subarray(0, i % 3 === 0 ? Math.min(bytes.length, 9 + below(bytes.length)) : bytes.length)
          )
          for (let n = 0; n < 1 + (i % 3); n++) damaged[8 + below(damaged.length - 8)] = below(256)
          compare(damaged, `${name}, damage ${i}`)
        }
      }
      assert.ok(numbers >= 5)
    })

  it('f142 carries text, f144 refuses it', () => {
    const text: LogRecord = { source: 'P', timestampNs: 1n, dtype: 'string', value: 'grün', alarm: undefined }
    assert.deepEqual(logF142.decode(logF142.encode(text)), text)
    const texts: LogRecord = { ...text, value: ['a', '', 'c'], alarm: { severity: 0, status: 0 } }
    assert.deepEqual(logF142.decode(logF142.encode(texts)), texts)
    assert.throws(() => logF144.encode(text), { reason: 'unencodable' })
  })

  it('refuses messages without time, with a wrong id and cut ones by name', () => {
    const good = logF142.encode({ source: 'P', timestampNs: 1n, dtype: 'int32', value: 1 })
    const peek = { sourceStart: 0, sourceEnd: 0, timestampNs: 0n }
    assert.throws(() => logF144.peek(good, peek), { reason: 'wrong_schema' })
    assert.throws(() => logF142.peek(good.subarray(0, 7), peek), { reason: 'too_small' })
    assert.throws(() => logF142.decode(good.subarray(0, 40)), { reason: 'invalid_flatbuffer' })
    for (const time of [0n, -1n, 2n ** 63n]) {
      const bad = logF142.encode({ source: 'P', timestampNs: time, dtype: 'int32', value: 1 })
      assert.throws(() => logF142.peek(bad, peek), { reason: 'bad_timestamp' })
      assert.throws(() => logF142.decode(bad), { reason: 'bad_timestamp' })
    }
  })
})
