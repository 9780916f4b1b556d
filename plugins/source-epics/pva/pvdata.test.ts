import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type PvStructure, type PvValue, type Vector } from '../../../schemas/index.js'
import { PvaEncoder, type Plain } from '../../../test/support/pva-encoder.js'
import { PvaReader } from './reader.js'
import { MonitorState } from './state.js'
import { Code, readType, type PvType, type StructureType, type TypeCache } from './types.js'
import { emptyValue, readValue } from './value.js'

const readerOf = (bytes: Buffer, isBigEndian: boolean): PvaReader =>
  new PvaReader().reset(
    bytes,
    new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    0,
    bytes.length,
    isBigEndian
  )

/** Numbers back out of little-endian bytes. */
function numbers({ dtype, length, bytes }: Vector): Plain[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const read = {
    int8: (i: number) => view.getInt8(i),
    uint8: (i: number) => view.getUint8(i),
    int16: (i: number) => view.getInt16(2 * i, true),
    uint16: (i: number) => view.getUint16(2 * i, true),
    int32: (i: number) => view.getInt32(4 * i, true),
    uint32: (i: number) => view.getUint32(4 * i, true),
    int64: (i: number) => view.getBigInt64(8 * i, true),
    uint64: (i: number) => view.getBigUint64(8 * i, true),
    float32: (i: number) => view.getFloat32(4 * i, true),
    float64: (i: number) => view.getFloat64(8 * i, true)
  }[dtype]
  return Array.from({ length }, (_, i) => read(i))
}

/** The decoded value in the words of the encoder. */
function plain(type: PvType, value: PvValue): Plain {
  const fieldsOf = (one: PvValue) => (one as PvStructure).fields
  switch (type.kind) {
    case 'array':
      if (type.code === Code.STRING) return [...(value as string[])]
      return type.code === Code.BOOLEAN ? numbers(value as Vector).map((n) => n === 1) : numbers(value as Vector)
    case 'structure':
      return Object.fromEntries(type.fields.map((field) => [field.name, plain(field.type, fieldsOf(value).get(field.name) ?? null)]))
    case 'structure-array':
      return (value as PvStructure[]).map((one) => (one.fields.size === 0 ? null : plain(type.element, one)))
    case 'any-array':
      return (value as PvStructure[]).map((one) => (one.fields.get('value') as Plain | undefined) ?? null)
    default:
      return value as Plain
  } // prettier-ignore
}

const codes = Object.values(Code)
const f32 = fc.float({ noNaN: true }).map((n) => (Object.is(n, -0) ? 0 : n))
const f64 = fc.double({ noNaN: true }).map((n) => (Object.is(n, -0) ? 0 : n))
const scalarOf: Record<number, fc.Arbitrary<Plain>> = {
  [Code.BOOLEAN]: fc.boolean(),
  [Code.INT8]: fc.integer({ min: -128, max: 127 }),
  [Code.INT16]: fc.integer({ min: -32768, max: 32767 }),
  [Code.INT32]: fc.integer(),
  [Code.INT64]: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  [Code.UINT8]: fc.nat(255),
  [Code.UINT16]: fc.nat(65535),
  [Code.UINT32]: fc.nat(4294967295),
  [Code.UINT64]: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  [Code.FLOAT32]: f32,
  [Code.FLOAT64]: f64,
  [Code.STRING]: fc.string({ unit: 'grapheme', maxLength: 300 })
}

interface Sample {
  readonly type: PvType
  readonly value: Plain
}
const sampleOf = (code: number): fc.Arbitrary<Sample> =>
  (scalarOf[code] as fc.Arbitrary<Plain>).map((value) => ({ type: { kind: 'scalar', code, weight: 1 }, value }))
const arrayOf = (code: number): fc.Arbitrary<Sample> =>
  fc
    .tuple(fc.array(scalarOf[code] as fc.Arbitrary<Plain>, { maxLength: 20 }), fc.boolean())
    .map(([value, isFixed]) => ({
      type: { kind: 'array', code, fixed: isFixed ? value.length : -1, weight: 1 },
      value
    }))
const structureOf = (fields: readonly Sample[]): Sample => ({
  type: {
    kind: 'structure',
    id: 'test:t',
    weight: 1 + fields.reduce((sum, field) => sum + field.type.weight, 0),
    fields: fields.map(({ type }, i) => ({ name: `f${i}`, type }))
  },
  value: Object.fromEntries(fields.map(({ value }, i) => [`f${i}`, value]))
})

const { sample } = fc.letrec<{ sample: Sample; leaf: Sample; structure: Sample; elements: Sample }>((tie) => ({
  leaf: fc.oneof(
    fc.constantFrom(...codes).chain(sampleOf),
    fc.constantFrom(...codes).chain(arrayOf),
    fc.integer().map((value): Sample => ({ type: { kind: 'any', weight: 1 }, value })),
    fc
      .array(fc.option(fc.integer()), { maxLength: 5 })
      .map((value): Sample => ({ type: { kind: 'any-array', weight: 1 }, value }))
  ),
  structure: fc.array(tie('sample'), { minLength: 1, maxLength: 6 }).map(structureOf),
  elements: fc.tuple(tie('structure'), fc.array(fc.boolean(), { maxLength: 4 })).map(([one, present]): Sample => ({
    type: { kind: 'structure-array', element: one.type, weight: 1 + one.type.weight },
    value: present.map((is) => (is ? one.value : null))
  })),
  sample: fc.oneof({ maxDepth: 4 }, tie('leaf'), tie('structure'), tie('elements'))
}))
const structure = fc.array(sample, { minLength: 1, maxLength: 12 }).map(structureOf)

describe('pvData', () => {
  it('reads every type in both byte orders', () => {
    fc.assert(
      fc.property(structure, fc.boolean(), ({ type, value }, isBigEndian) => {
        const bytes = new PvaEncoder(isBigEndian).type(type).value(type, value).body()
        const reader = readerOf(bytes, isBigEndian)
        const read = readType(reader, new Map())
        assert.deepEqual(read, type)
        assert.deepEqual(plain(type, readValue(reader, type, new Map())), value)
        assert.equal(reader.left, 0)
      }),
      { numRuns: 500 }
    )
  })

  it('merges updates of any fields, in both byte orders', () => {
    fc.assert(
      fc.property(
        structure,
        fc.boolean(),
        fc.array(fc.array(fc.nat(), { maxLength: 4 }), { maxLength: 4 }),
        (one, be, masks) => {
          const type = one.type as StructureType
          const state = new MonitorState(type)
          const expected = new Map<string, Plain>()
          for (const field of type.fields) expected.set(field.name, plain(field.type, emptyValue(field.type)))
          // Bit of each field of the first level.
          let bit = 1
          const bits = type.fields.map((field) => {
            const own = bit
            bit += countBits(field.type)
            return own
          })
          for (const mask of masks) {
            const chosen = [...new Set(mask.map((n) => n % type.fields.length))].sort((a, b) => a - b)
            const encoder = new PvaEncoder(be).mask(chosen.map((i) => bits[i] as number))
            for (const i of chosen) {
              const { name, type: of } = type.fields[i] as { name: string; type: PvType }
              const value = (one.value as Record<string, Plain>)[name] as Plain
              encoder.value(of, value)
              expected.set(name, value)
            }
            const reader = readerOf(encoder.body(), be)
            assert.equal(state.apply(reader, new Map()), chosen.length > 0)
            assert.equal(reader.left, 0)
          }
          assert.deepEqual(plain(type, state.structure()), Object.fromEntries(expected))
        }
      ),
      { numRuns: 500 }
    )
  })

  it('takes the bit of the whole structure as all its fields', () => {
    fc.assert(
      fc.property(structure, fc.boolean(), ({ type, value }, be) => {
        const state = new MonitorState(type as StructureType)
        state.apply(readerOf(new PvaEncoder(be).mask([0, 1]).value(type, value).body(), be), new Map())
        assert.deepEqual(plain(type, state.structure()), value)
      }),
      { numRuns: 100 }
    )
  })

  it('answers damage with a RangeError or a value, never otherwise', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(structure, damage, fc.nat(), ({ type, value }, changes, cut) => {
        const bytes = new PvaEncoder(false).type(type).value(type, value).body()
        for (const [place, to] of changes) bytes[place % bytes.length] = to
        const reader = readerOf(bytes.subarray(0, cut % 3 === 0 ? cut % bytes.length : bytes.length), false)
        try {
          const read = readType(reader, new Map())
          if (read !== null) readValue(reader, read, new Map())
        } catch (error) {
          assert.ok(error instanceof RangeError, String(error))
        }
      }),
      { numRuns: 2000 }
    )
  })

  it('unions give the chosen value, by name inside arrays', () => {
    const union: PvType = {
      kind: 'union',
      id: '',
      weight: 3,
      fields: [
        { name: 'i', type: { kind: 'scalar', code: Code.INT32, weight: 1 } },
        { name: 's', type: { kind: 'scalar', code: Code.STRING, weight: 1 } }
      ]
    }
    const read = (type: PvType, value: Plain) =>
      readValue(readerOf(new PvaEncoder(true).value(type, value).body(), true), type, new Map())
    assert.equal(read(union, ['s', 'x']), 'x')
    assert.equal(read(union, null), null)
    const list = read({ kind: 'union-array', element: union, weight: 4 }, [['i', 7], null, ['s', 'y']]) as PvStructure[]
    assert.deepEqual(list.map(({ fields }) => [...fields]), [[['i', 7]], [], [['s', 'y']]]) // prettier-ignore
  })

  it('refuses what would eat memory or stack', () => {
    const types = (bytes: readonly number[]) => () => readType(readerOf(Buffer.from(bytes), false), new Map())
    assert.throws(types(Array.from({ length: 100 }, () => [0x80, 0, 1, 1, 0x61]).flat()), /too deeply|too short/)
    assert.throws(types([0xfe, 1, 0]), /never sent/)
    assert.throws(types([0x99]), /unknown type code/)
    assert.throws(types([0x80, 0, 0xfe, 0xff, 0xff, 0xff, 0x0f]), /too short/)
    assert.throws(types([0x88, 0x22]), /of something else/)
    // A structure of 16 times the one before it, eight levels: 16^8 fields in a few hundred bytes.
    const cache: TypeCache = new Map()
    const bomb = (): void => {
      readType(readerOf(Buffer.from([0xfd, 0, 0, 0x80, 0, 0]), false), cache)
      for (let level = 1; level < 9; level++) {
        const fields = Array.from({ length: 16 }, () => [1, 0x61, 0xfe, level - 1, 0]).flat()
        readType(readerOf(Buffer.from([0xfd, level, 0, 0x80, 0, 16, ...fields]), false), cache)
      }
    }
    assert.throws(bomb, /too many fields/)
    const empty: PvType = {
      kind: 'structure-array',
      weight: 2,
      element: { kind: 'structure', id: '', fields: [], weight: 1 }
    }
    const many = Buffer.concat([Buffer.from([0xfe, 0x80, 0x84, 0x1e, 0]), Buffer.alloc(2_000_000, 1)])
    assert.throws(() => readValue(readerOf(many, false), empty, new Map()), /too many structures/)
  })
})

/** Bits that a field takes in masks: structures are walked, everything else is one. */
function countBits(type: PvType): number {
  return type.kind === 'structure' ? 1 + type.fields.reduce((sum, field) => sum + countBits(field.type), 0) : 1
}
