import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { type PvStructure, type Vector } from '../../../schemas/index.js'
import { PvaEncoder } from '../../../test/support/pva-encoder.js'
import { PvaFramer } from './framer.js'
import { Command, Sub } from './protocol.js'
import { MonitorState } from './state.js'
import { readType, type TypeCache } from './types.js'

// What real servers sent to this client (test/support/record-epics.ts): channels 1…n, two puts at the records.
const sample = (name: string): Buffer =>
  readFileSync(new URL(`../../../../plugins/source-epics/pva/samples/${name}.bin`, import.meta.url))

/** Runs the bytes through framer and decoders as a circuit does; the content of each channel after every update. */
function replay(chunks: readonly Buffer[], maxBytes = 1 << 20) {
  const states = new Map<number, MonitorState>()
  const contents = new Map<number, PvStructure[]>()
  const types: TypeCache = new Map()
  const onTooLarge = (ioid: number): void => void contents.set(ioid, [])
  const framer = new PvaFramer(
    maxBytes,
    (command, reader) => {
      if (command !== Command.MONITOR) return
      const ioid = reader.u32()
      const sub = reader.u8()
      if ((sub & Sub.INIT) !== 0) {
        if (!reader.status().ok) return
        const type = readType(reader, types)
        if (type?.kind === 'structure') states.set(ioid, new MonitorState(type))
        return
      }
      const state = states.get(ioid)
      if (state === undefined) return
      state.apply(reader, types)
      contents.set(ioid, [...(contents.get(ioid) ?? []), state.structure()])
    },
    onTooLarge
  )
  for (const chunk of chunks) framer.push(chunk)
  return contents
}

const at = (content: PvStructure | undefined, path: string): unknown =>
  path.split('.').reduce<unknown>((value, name) => (value as PvStructure | undefined)?.fields.get(name), content)

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length]
  return places.slice(1).map((end, i) => bytes.subarray(places[i], end))
}

describe('PVA framer', () => {
  for (const server of ['qsrv1', 'qsrv2']) {
    it(`reads what ${server} sent`, () => {
      const contents = replay([sample(server)])
      const [first, second] = [contents.get(1)?.at(0), contents.get(1)?.at(-1)]
      assert.deepEqual([at(first, 'value'), at(second, 'value')], [3.25, 9.5])
      assert.deepEqual([at(second, 'alarm.severity'), at(second, 'alarm.message')], [2, 'HIHI'])
      // Only the first update had the units: the second is merged into it.
      assert.deepEqual([at(second, 'display.units'), at(second, 'display.precision')], ['mm', 3])
      assert.equal(at(contents.get(2)?.[0], 'value.index'), 1)
      assert.deepEqual(at(contents.get(2)?.[0], 'value.choices'), ['off', 'on', 'broken'])
      assert.equal(at(contents.get(3)?.[0], 'value'), 'été €')
      const big = at(contents.get(5)?.at(-1), 'value') as Vector
      assert.equal(big.length, 1000)
      assert.equal(Buffer.from(big.bytes).readDoubleLE(8 * 999), 499.5)
    })
  }

  it('reads what p4p sent', () => {
    const contents = replay([sample('p4p')])
    const of = (ioid: number, path: string) => at(contents.get(ioid)?.[0], path)
    assert.equal(of(1, 'value'), -9007199254740993n)
    assert.deepEqual(of(2, 'value'), ['a', 'ü', 'c'.repeat(300)])
    assert.equal(of(3, 'value.index'), 1)
    assert.equal((of(4, 'value') as Vector).dtype, 'uint16')
    assert.deepEqual((of(4, 'dimension') as PvStructure[]).map((one) => one.fields.get('size')), [4, 3]) // prettier-ignore
    assert.deepEqual(of(5, 'labels'), ['a', 'b', 'c'])
    assert.equal(of(6, 'any'), 42n)
    assert.equal(of(6, 'un'), 'sel')
    assert.equal(of(7, 'alarm.message'), 'HIHI')
  })

  it('reads what pvAccessJava sent: big-endian, in segments', () => {
    const bytes = sample('java')
    for (let at = 0; at < bytes.length;) {
      const flags = bytes.readUInt8(at + 2)
      assert.equal(flags & 0xc0, 0xc0)
      at += 8 + ((flags & 1) === 0 ? bytes.readUInt32BE(at + 4) : 0)
    }
    const contents = replay([bytes])
    const of = (ioid: number, path: string) => at(contents.get(ioid)?.at(-1), path)
    assert.deepEqual([at(contents.get(1)?.[0], 'value'), of(1, 'value')], [5.5, -6.5])
    assert.deepEqual([of(1, 'alarm.severity'), of(1, 'alarm.message')], [2, 'too warm'])
    assert.deepEqual([of(1, 'timeStamp.secondsPastEpoch'), of(1, 'timeStamp.nanoseconds')], [1_700_000_000n, 123_456_789]) // prettier-ignore
    assert.deepEqual([of(1, 'display.units'), of(2, 'value.index')], ['mm', 1])
    assert.deepEqual([of(3, 'any'), of(3, 'un'), of(3, 'sub.z')], [18446744073709551615n, 'sel', ['p', 'q']])
    const [long, large] = [of(4, 'value') as Vector, of(5, 'value') as Vector]
    assert.deepEqual([long.dtype, Buffer.from(long.bytes).readBigInt64LE()], ['int64', -9007199254740993n])
    const numbers = new Float64Array(new Uint8Array(large.bytes).buffer)
    assert.deepEqual([...numbers], [-1, ...Array.from({ length: 2999 }, (_, i) => i + 1)])
    assert.equal(of(6, 'value'), 'a text')
  })

  it('knows the byte order in which a server wants to be spoken to', () => {
    for (const [server, asks] of Object.entries({ java: true, qsrv1: false, qsrv2: false, p4p: false })) {
      const framer = new PvaFramer(1 << 20, () => undefined, assert.fail)
      assert.equal(framer.asksBigEndian, false)
      framer.push(sample(server))
      assert.equal(framer.asksBigEndian, asks, server)
    }
  })

  it('gives the same however the bytes are cut', () => {
    for (const server of ['qsrv1', 'qsrv2', 'p4p', 'java']) {
      const bytes = sample(server)
      const whole = replay([bytes])
      fc.assert(
        fc.property(fc.array(fc.nat(), { maxLength: 40 }), (cuts) =>
          assert.deepEqual(replay(split(bytes, cuts)), whole)
        ),
        { numRuns: 30 }
      )
    }
  })

  it('answers damage with a RangeError or with messages, never otherwise', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(
        fc.constantFrom('qsrv1', 'qsrv2', 'p4p', 'java'),
        damage,
        fc.array(fc.nat(), { maxLength: 5 }),
        (name, changes, cuts) => {
          const damaged = Buffer.from(sample(name))
          for (const [place, value] of changes) damaged[place % damaged.length] = value
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

  it('joins segments, with control messages between them, in both byte orders', () => {
    const control = Buffer.from([0xca, 2, 0x41, 2, 0xff, 0xff, 0xff, 0xff])
    for (const isBigEndian of [false, true]) {
      const segmented = new PvaEncoder(isBigEndian).raw(Buffer.alloc(1000, 7)).message(13, 4)
      const firstEnd = 8 + 250
      const stream = Buffer.concat([control, segmented.subarray(0, firstEnd), control, segmented.subarray(firstEnd)])
      fc.assert(
        fc.property(fc.array(fc.nat(), { maxLength: 10 }), (cuts) => {
          const seen: unknown[] = []
          const framer = new PvaFramer(
            2000,
            (command, reader) => seen.push([command, reader.left, /^(07)+$/.test(reader.hex(reader.left))]),
            assert.fail
          )
          for (const chunk of split(stream, cuts)) framer.push(chunk)
          assert.deepEqual(seen, [[13, 1000, true]])
        }),
        { numRuns: 30 }
      )
    }
  })

  it('passes over updates that are too large, in one piece or in segments, and reads on', () => {
    for (const isBigEndian of [false, true]) {
      const message = (ioid: number, size: number, segments?: number) =>
        new PvaEncoder(isBigEndian)
          .u32(ioid)
          .raw(Buffer.alloc(size - 4))
          .message(13, segments)
      const stream = Buffer.concat([
        message(1, 50),
        message(2, 3000),
        message(3, 900, 3),
        message(4, 90, 3),
        message(5, 60)
      ])
      fc.assert(
        fc.property(fc.array(fc.nat(), { maxLength: 10 }), (cuts) => {
          const seen: unknown[] = []
          const framer = new PvaFramer(
            400,
            (_command, reader) => seen.push(reader.u32()),
            (ioid, size) => seen.push({ ioid, size })
          )
          for (const chunk of split(stream, cuts)) framer.push(chunk)
          assert.deepEqual(seen, [1, { ioid: 2, size: 3000 }, { ioid: 3, size: 600 }, 4, 5])
        }),
        { numRuns: 50 }
      )
    }
  })

  it('passes over large updates of a real server', () => {
    // Channel 5 has 1,000 doubles.
    const [whole, cut] = [replay([sample('qsrv2')]), replay([sample('qsrv2')], 4000)]
    assert.deepEqual(cut.get(5), [])
    assert.deepEqual(cut.get(1), whole.get(1))
    assert.deepEqual(cut.get(6), whole.get(6))
  })

  it('ends a stream that is out of step or too large', () => {
    const push = (bytes: Buffer) => () => new PvaFramer(100, () => undefined, assert.fail).push(bytes)
    assert.throws(push(Buffer.from('GET / HTTP/1.1')), /out of step/)
    assert.throws(push(new PvaEncoder(false).raw(Buffer.alloc(200)).message(7)), /over the limit/)
    assert.throws(push(new PvaEncoder(false).raw(Buffer.alloc(150)).message(7, 3)), /over the limit/)
    const header = new PvaEncoder(false).raw(Buffer.alloc(0)).message(13)
    header.writeUInt32LE(0x7fffffff, 4)
    assert.throws(push(header), /over the limit/)
    const last = new PvaEncoder(false).raw(Buffer.alloc(20)).message(13, 2).subarray(18)
    assert.throws(push(last), /out of order/)
  })
})
