// The type matrix: what is put into which kind of server, and what each schema must say of it. Schemas not named must refuse it.
import { type VectorType } from '../../schemas/index.js'
import { type Ioc, type PutValue } from './ioc.js'

/** As test/support/python/decode_messages.py prints values. */
type Plain = string | number | boolean | readonly Plain[] | { readonly [name: string]: Plain }
export type Expected = Readonly<Record<string, Plain>>

export interface Case {
  /** Without the server's prefix. */
  readonly pv: string
  readonly put: (ioc: Ioc, pv: string) => Promise<unknown>
  readonly source?: Readonly<Record<string, unknown>>
  /** Converter → value; `text` is f142 with enums as text. */
  readonly expected: Expected
}

export const schemas = ['f142', 'f144', 'text', 'se00', 'senv', 'tdct', 'json', 'ns10', 'NDAr', 'ADAr', 'ad00'] as const

const stamp: readonly [number, number] = [1_750_000_000, 123_456_789]
const STAMP_NS = 1_750_000_000_123_456_789n

type Whole = number | bigint
const members: Readonly<Record<VectorType, string>> = {
  int8: 'Byte', uint8: 'UByte', int16: 'Short', uint16: 'UShort', int32: 'Int', uint32: 'UInt', int64: 'Long', uint64: 'ULong',
  float32: 'Float', float64: 'Double'
} // prettier-ignore
const isFloat = (type: VectorType): boolean => type.startsWith('float')
const is64 = (type: VectorType): boolean => type.endsWith('64') && !isFloat(type)
const inInt64 = (value: bigint): boolean => BigInt.asIntN(64, value) === value

function plain(value: Whole): Plain {
  if (typeof value === 'bigint') return value >= -(2n ** 53n) && value <= 2n ** 53n ? Number(value) : `${value}n`
  if (Number.isNaN(value)) return 'nan'
  return Number.isFinite(value) ? value : value > 0 ? 'inf' : '-inf'
}
/** JSON text has 64-bit integers and what is no number as text. */
const inJson = (type: VectorType, value: Whole): Plain =>
  is64(type) || !Number.isFinite(Number(value)) ? String(value) : Number(value)
const rounded = (value: Whole): bigint | undefined => {
  if (typeof value === 'number' && !Number.isFinite(value)) return undefined
  const whole = typeof value === 'bigint' ? value : BigInt(Math.round(value))
  return inInt64(whole) ? whole : undefined
}

/** As the type holds them. */
const ofType = (type: VectorType, list: readonly Whole[]): readonly Whole[] =>
  type === 'float32' ? list.map((one) => Math.fround(Number(one))) : list

/** ns that tdct adds to the time of the value; undefined when that makes no times. */
function offsets(list: readonly Whole[]): Plain | undefined {
  const all = list.map(rounded)
  const isTime = (one: bigint | undefined): boolean =>
    one !== undefined && one + STAMP_NS > 0n && inInt64(one + STAMP_NS)
  return all.every(isTime) ? all.map((one) => plain(one as bigint)) : undefined
}

const known = (expected: Readonly<Record<string, Plain | undefined>>): Expected =>
  Object.fromEntries(Object.entries(expected).filter((entry): entry is [string, Plain] => entry[1] !== undefined))

function ofNumber(type: VectorType, value: Whole): Expected {
  const log = { type: members[type], value: plain(value) }
  const json = { dtype: type, value: inJson(type, value) }
  return known({ f142: log, f144: log, text: log, tdct: offsets([value]), json, ns10: plain(value) })
}

function ofArray(type: VectorType, list: readonly Whole[]): Expected {
  const value = list.map(plain)
  const log = { type: `Array${members[type]}`, value }
  const whole: readonly (Whole | undefined)[] = isFloat(type) ? list.map(rounded) : list
  const senv = whole.some((one) => one === undefined)
    ? undefined
    : { type: isFloat(type) ? 'int64' : type, values: whole.map((one) => plain(one as Whole)) }
  const always = { f142: log, f144: log, text: log, json: { dtype: type, value: list.map((one) => inJson(type, one)) } }
  if (list.length === 0) return { ...always, ns10: [] }
  return known({ ...always, se00: { type, values: value }, senv, tdct: offsets(list), ns10: value })
}

const ofText = (value: string): Expected => {
  const log = { type: 'String', value }
  return { f142: log, text: log, json: { dtype: 'string', value }, ns10: value }
}

// ---------------------------------------------------------------- builders of cases

const plainPut = (value: PutValue) => (ioc: Ioc, pv: string) => ioc.put(pv, value)

const number = (pv: string, type: VectorType, value: Whole): Case => ({
  pv,
  put: plainPut(value),
  expected: ofNumber(type, ofType(type, [value])[0] as Whole)
})
const array = (pv: string, type: VectorType, list: readonly Whole[], got: readonly Whole[] = list): Case => ({
  pv,
  put: plainPut(list as readonly number[]),
  expected: ofArray(type, ofType(type, got))
})
const text = (pv: string, value: string, got = value): Case => ({
  pv,
  put: plainPut(value),
  expected: ofText(got)
})
const texts = (pv: string, list: readonly string[]): Case => {
  const log = { type: 'ArrayString', value: list }
  const expected = { f142: log, text: log, json: { dtype: 'string', value: list }, ns10: list }
  return { pv, put: plainPut(list), expected }
}
const label = (pv: string, index: number, name: string): Case => {
  const log = { type: 'Int', value: index }
  const json = { dtype: 'enum', value: index, text: name }
  const expected = { f142: log, f144: log, text: { type: 'String', value: name }, json, ns10: name }
  return { pv, put: plainPut(index), expected }
}
/** Long text by the name of its record: `into` takes all of it. */
const longText = (pv: string, into: string, value: string): Case => ({
  pv,
  put: (ioc, name) => ioc.put(`${name}${into}`, into === '' ? [...Buffer.from(value)] : value),
  source: { long_string: true },
  expected: ofText(value)
})
const bool = (pv: string, value: boolean): Case => {
  const log = { type: 'Byte', value: value ? 1 : 0 }
  const json = { dtype: 'bool', value }
  return { pv, put: plainPut(value), expected: { f142: log, f144: log, text: log, json, ns10: value } }
}
const bools = (pv: string, list: readonly boolean[]): Case => ({
  pv,
  put: plainPut(list),
  expected: ofArray('uint8', list.map(Number))
})

function frame(pv: string, dtype: VectorType, shape: readonly number[], list: readonly Whole[]): Case {
  const values = ofType(dtype, list)
  const attributes = { exposure: 0.25, gain: 7, note: 'dark' }
  const rows = nest(values.map(plain), shape)
  const common = { type: dtype, unique_id: 42, data: rows, attributes }
  const NDAr = { type: dtype, id: 42, data: rows }
  const args = { dtype, shape, values, attributes, timestamp: stamp, unique_id: 42 }
  return {
    pv,
    put: (ioc, name) => ioc.call('frame', { name, ...args }),
    expected: {
      NDAr,
      ADAr: common,
      ad00: { ...common, timestamp_ns: plain(STAMP_NS) },
      json: { dtype: 'structure', value: values.map((one) => inJson(dtype, one)) }
    }
  }
}

function nest(list: readonly Plain[], shape: readonly number[]): Plain {
  const [n = 0, ...inner] = shape
  if (inner.length === 0) return list
  const size = list.length / n
  return Array.from({ length: n }, (_, i) => nest(list.slice(i * size, (i + 1) * size), inner))
}

/** A table of samples with times: se00 and senv take time and step from the column. */
function samples(pv: string, dtype: VectorType, value: readonly Whole[], timestamp: readonly Whole[]): Case {
  const times = timestamp.map((one) => plain(BigInt(one)))
  const delta = Number(BigInt(timestamp[1] ?? 0) - BigInt(timestamp[0] ?? 0))
  const common = { sample_ts_delta: value.length > 1 ? delta : 0, value_ts: times }
  return {
    pv,
    put: (ioc, name) => ioc.call('table', { name, columns: { value, timestamp }, timestamp: stamp }),
    expected: known({
      se00: { type: dtype, values: value.map(plain), timestamp_unix_ns: times[0] as Plain, ...common },
      senv: {
        type: isFloat(dtype) ? 'int64' : dtype,
        values: value.map((one) => plain(rounded(one) as bigint)),
        ...common
      },
      json: { dtype: 'structure', value: value.map((one) => inJson(dtype, one)) }
    })
  }
}

// ---------------------------------------------------------------- what each server has

const sentence = 'A sentence of more than forty characters, with µ and €, as many records have.'
const ramp = Array.from({ length: 100_000 }, (_, i) => i * 0.5)

/** Channel Access has no 64-bit, unsigned 16- or 32-bit integers; CHAR is unsigned by convention; text ends after 39 bytes. */
export const caCases: readonly Case[] = [
  number('double', 'float64', -1.25),
  number('nan', 'float64', Infinity),
  number('long', 'int32', 2147483647),
  number('int64', 'float64', 4503599627370497),
  number('slow.PREC', 'int16', 5),
  number('slow.TPRO', 'uint8', 200),
  number('single', 'float32', 0.1),
  label('bo', 0, 'Closed'),
  label('mbbo', 15, 'fifteen'),
  label('slow.HSV', 2, 'MAJOR'),
  text('string', 'été'),
  { ...text('lso', 'x'.repeat(60), 'x'.repeat(39)), put: (ioc, pv) => ioc.put(`${pv}.VAL$`, 'x'.repeat(60)) },
  longText('long:text', '.VAL$', sentence.repeat(2)),
  longText('wf:text', '', sentence),
  texts('strings', ['ä', '', 'z']),
  array('wf:char', 'uint8', [-128, 127], [128, 127]),
  array('wf:uchar', 'uint8', [255, 0]),
  array('wf:short', 'int16', [-32768, 32767, 1]),
  array('wf:ushort', 'int32', [65535]),
  array('wf:long', 'int32', [-2147483648]),
  array('wf:ulong', 'float64', [4294967295, 1]),
  array('wf:int64', 'float64', [-3, 3]),
  array('wf:uint64', 'float64', [5]),
  array('wf:float', 'float32', [0.5, -1e30]),
  array('wf:double', 'float64', [1e300, -0.1, 7]),
  array('wf:one', 'float64', [8.5]),
  array('wf:enum', 'uint16', [2, 0, 65535]),
  array('wf:large', 'float64', ramp)
]

/** A record over pvAccess, QSRV 1 and 2. */
export const qsrvCases: readonly Case[] = [
  number('double', 'float64', -1.25),
  number('nan', 'float64', Infinity),
  number('long', 'int32', 2147483647),
  number('int64', 'int64', -9223372036854775807n),
  number('slow.PREC', 'int16', 5),
  label('bo', 0, 'Closed'),
  label('mbbo', 15, 'fifteen'),
  text('string', 'été'),
  longText('wf:text', '', sentence),
  texts('strings', ['ä', '', 'z']),
  array('wf:char', 'int8', [-128, 127]),
  array('wf:uchar', 'uint8', [255, 0]),
  array('wf:short', 'int16', [-32768, 32767, 1]),
  array('wf:ushort', 'uint16', [65535]),
  array('wf:long', 'int32', [-2147483648]),
  array('wf:ulong', 'uint32', [4294967295, 1]),
  array('wf:int64', 'int64', [-9007199254740993n, 3n]),
  array('wf:uint64', 'uint64', [18446744073709551615n]),
  array('wf:float', 'float32', [0.5, -1e30]),
  array('wf:double', 'float64', [1e300, -0.1, 7]),
  array('wf:one', 'float64', [8.5]),
  array('wf:large', 'float64', ramp)
]
/** Only pvxs gives long string records whole under their own name. */
export const pvxsCases: readonly Case[] = [
  ...qsrvCases,
  { ...text('lso', sentence), put: (ioc, pv) => ioc.put(`${pv}.VAL$`, sentence) }
]

const integers: readonly [VectorType, Whole, readonly Whole[]][] = [
  ['int8', -128, [-128, 127]],
  ['uint8', 255, [0, 255]],
  ['int16', -32768, [-32768]],
  ['uint16', 65535, [65535, 1]],
  ['int32', -2147483648, [-2147483648, 2147483647]],
  ['uint32', 4294967295, [4294967295]],
  ['int64', -9223372036854775807n, [-9223372036854775808n, 9007199254740993n]],
  ['uint64', 18446744073709551615n, [18446744073709551615n, 1n]],
  ['float32', -0.1, [0.1, -3e38]],
  ['float64', 1e-300, [NaN, -Infinity, 5e-324]]
]

/** Every server of normative types has these. */
const normativeCases: readonly Case[] = [
  bool('scalar:bool', false),
  bools('array:bool', [false, true, true]),
  text('longstring', 'y'.repeat(70_000)),
  ...integers.map(([type, value]) => number(`scalar:${type}`, type, value)),
  ...integers.map(([type, , list]) => array(`array:${type}`, type, list)),
  array('empty', 'float64', []),
  label('enum', 2, 'a choice much longer than twenty-six characters')
]

export const p4pCases: readonly Case[] = [
  ...normativeCases,
  text('scalar:string', 'µ'),
  texts('array:string', ['ä', '', 'z'.repeat(300)]),
  samples('samples:d', 'float64', [1.5, -2.5, 3.5], [1_700_000_000_000_000_001n, 1_700_000_000_000_000_101n, 1_700_000_000_000_000_301n]),
  samples('samples:h', 'int16', [-5], [1_700_000_000_000_000_007n]),
  samples('samples:q', 'int64', [9007199254740993n, 2n], [1_700_000_000_000_000_000n, 1_700_000_000_000_000_512n]),
  ...integers
    .filter(([type]) => type !== 'float64')
    .map(([type, , list]) => frame(`frame:${type}`, type, [list.length, 1], list)),
  frame('frame:float64', 'float64', [2, 2, 3], [0.5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1e300])
] // prettier-ignore

/** pvDataJava cuts texts that are not ASCII short. */
export const javaCases: readonly Case[] = [
  ...normativeCases,
  text('scalar:string', 'a text'),
  texts('array:string', ['a', '', 'z'.repeat(300)]),
  array('large:float64', 'float64', ramp)
]

export const caprotoCases: readonly Case[] = [
  number('i', 'int32', -6),
  number('f', 'float64', 9.25),
  number('fl', 'float32', 0.1),
  number('sh', 'int16', -32768),
  number('ch', 'uint8', 255),
  label('e', 2, 'c'),
  text('st', 'été'),
  // caproto writes Latin-1.
  { ...text('s', sentence.replace('€', '°')), source: { long_string: true } },
  texts('strings', ['x', 'ä']),
  array('b', 'uint8', [255, 0, 128]),
  array('shorts', 'int16', [-32768, 1]),
  array('longs', 'int32', [2147483647]),
  array('floats', 'float32', [0.1, 2]),
  array('arr', 'float64', [4.5])
]
