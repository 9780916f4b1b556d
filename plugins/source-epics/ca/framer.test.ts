import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { type Vector } from '../../../schemas/index.js'
import { CTRL_BASE, decodeControl, decodeTime, TIME_BASE, type CaMeta, type CaValue } from './dbr.js'
import { CaFramer } from './framer.js'
import { Command } from './protocol.js'

// What a real RSRV sent to this client (test/support/record-epics.ts): channels 1…6, two puts.
const recorded = readFileSync(new URL('../../../../plugins/source-epics/ca/samples/rsrv.bin', import.meta.url))

/** Runs the bytes through framer and decoders as a circuit does. */
function replay(chunks: readonly Buffer[], maxBytes = 1 << 20) {
  const channels = new Map<number, { type: number; count: number }>()
  const values: { cid: number; value: CaValue }[] = []
  const metas = new Map<number, CaMeta>()
  const commands: number[] = []
  const tooLarge: number[][] = []
  const onTooLarge = (...what: number[]): void => void tooLarge.push(what)
  const framer = new CaFramer(
    maxBytes,
    (message) => {
      const { command, type, count, p1, p2, start, end } = message
      commands.push(command)
      if (command === Command.CREATE_CHAN) channels.set(p1, { type, count })
      const native = channels.get(command === Command.EVENT_ADD ? p2 >>> 1 : p2)
      if (native === undefined || start === end) return
      const { type: code, count: largest } = native
      if (code > 6) return
      if (type === CTRL_BASE + code) metas.set(p2 >>> 1, decodeControl(code, message))
      if (command === Command.EVENT_ADD && type === TIME_BASE + code) {
        values.push({
          cid: p2 >>> 1,
          value: decodeTime({ type: code, isArray: largest !== 1, isText: false }, message)
        })
      }
    },
    onTooLarge
  )
  for (const chunk of chunks) framer.push(chunk)
  return { channels, values, metas, commands, tooLarge }
}

/** Cuts bytes at the given places. */
function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length]
  return places.slice(1).map((end, i) => bytes.subarray(places[i], end))
}

describe('CA framer', () => {
  it('reads what a real server sent', () => {
    const { values, metas, channels } = replay([recorded])
    assert.deepEqual([...channels.keys()].sort(), [1, 2, 3, 4, 5, 6])
    const of = (cid: number) => values.filter((one) => one.cid === cid).map((one) => one.value)
    const doubles = of(1)
    assert.deepEqual(
      doubles.map(({ value, alarm }) => [value, alarm.severity, alarm.message]),
      [
        [3.25, 0, ''],
        [9.5, 2, 'HIHI']
      ]
    )
    assert.equal(metas.get(1)?.units, 'mm')
    assert.equal(metas.get(1)?.precision, 3)
    assert.deepEqual(metas.get(1)?.limits, { display: [-100, 100], alarm: [NaN, NaN, NaN, 9], control: [-80, 80] })
    assert.equal(of(2)[0]?.dtype, 'enum')
    assert.deepEqual(metas.get(2)?.enumStrings, ['off', 'on', 'broken'])
    assert.equal(of(3)[0]?.value, 'été €')
    assert.deepEqual(of(4)[0]?.value, { dtype: 'int16', length: 3, bytes: Buffer.from([0, 0x80, 0, 0, 0xff, 0x7f]) })
    const big = of(5).at(-1)?.value as Vector & { bytes: Buffer }
    assert.equal(big.length, 1000)
    assert.equal(big.bytes.readDoubleLE(8 * 999), 499.5)
    assert.equal(of(6)[0]?.timestampNs, 0n)
    assert.equal(of(6)[0]?.alarm.message, 'UDF')
  })

  it('gives the same however the bytes are cut', () => {
    const whole = replay([recorded])
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 40 }), (cuts) => {
        assert.deepEqual(replay(split(recorded, cuts)), whole)
      }),
      { numRuns: 50 }
    )
  })

  it('answers damage with a RangeError or with messages, never otherwise', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(recorded.length - 1), fc.nat(255)), { minLength: 1, maxLength: 30 }),
        fc.array(fc.nat(), { maxLength: 5 }),
        (changes, cuts) => {
          const damaged = Buffer.from(recorded)
          for (const [place, value] of changes) damaged[place] = value
          try {
            replay(split(damaged, cuts))
          } catch (error) {
            assert.ok(error instanceof RangeError, String(error))
          }
        }
      ),
      { numRuns: 500 }
    )
  })

  it('takes 24-byte headers and joins a large message', () => {
    const seen: number[][] = []
    const framer = new CaFramer(
      1 << 20,
      ({ command, type, count, p1, p2, start, end }) => seen.push([command, type, count, p1, p2, end - start]),
      assert.fail
    )
    const message = Buffer.alloc(24 + 80_000)
    message.writeUInt16BE(1, 0)
    message.writeUInt16BE(0xffff, 2)
    message.writeUInt16BE(20, 4)
    message.writeUInt32BE(1, 8)
    message.writeUInt32BE(2, 12)
    message.writeUInt32BE(80_000, 16)
    message.writeUInt32BE(10_000, 20)
    for (let at = 0; at < message.length; at += 1000) framer.push(message.subarray(at, at + 1000))
    assert.deepEqual(seen, [[1, 20, 10_000, 1, 2, 80_000]])
  })

  it('passes over an update that is too large and reads on, however the bytes are cut', () => {
    // The 1,000 doubles of channel 5 are over this limit, all else is not.
    const whole = replay([recorded])
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 40 }), (cuts) => {
        const { values, tooLarge } = replay(split(recorded, cuts), 4000)
        assert.deepEqual(tooLarge, [[10, 8016]])
        assert.deepEqual(values, whole.values.filter(({ value }) => (value.value as Vector).length !== 1000)) // prettier-ignore
      }),
      { numRuns: 50 }
    )
  })

  it('ends a stream that is out of step or too large', () => {
    assert.throws(() => replay([Buffer.from('GET / HTTP/1.1\r\n\r\n')]), /out of step/)
    const large = Buffer.alloc(24)
    large.writeUInt16BE(0xffff, 2)
    large.writeUInt32BE(0x7fffffff, 16)
    assert.throws(() => replay([large]), /over the limit/)
  })
})
