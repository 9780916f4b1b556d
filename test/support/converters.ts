// Opens converter plugins as the host does, for tests.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Context, type Plugin, type Registry } from '../../core/api/plugin.js'
import {
  type Converter,
  type ConverterPart,
  type PvStructure,
  type PvValue,
  type Update,
  type Vector,
  type VectorType
} from '../../schemas/index.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** Every converter part of plugins/converter-*, by schema id. */
export async function converterParts(): Promise<Map<string, ConverterPart>> {
  const parts = new Map<string, ConverterPart>()
  const refuse = (): never => {
    throw new Error('a converter plugin registers converters only')
  }
  const registry = { source: refuse, writer: refuse, service: refuse, reporter: refuse, dialect: refuse }
  for (const folder of readdirSync(join(root, 'plugins')).filter((name) => name.startsWith('converter-'))) {
    const module = (await import(join(root, 'dist/plugins', folder, 'index.js'))) as { default: Plugin }
    const converter = (part: ConverterPart): void => void parts.set(part.id, part)
    await module.default.apply({ ...registry, converter } as unknown as Registry, {})
  }
  return parts
}

/** An opened converter. */
export async function openConverter(id: string, config: Record<string, unknown> = {}): Promise<Converter> {
  const part = (await converterParts()).get(id)
  if (part === undefined) throw new Error(`no converter ${id}`)
  const context: Context = { jobId: 'test', signal: new AbortController().signal, log: () => {}, count: () => {} }
  return part.open(config, context)
}

export interface Golden {
  readonly name: string
  readonly id: string
  readonly bytes: Buffer
  readonly message: Readonly<Record<string, unknown>>
}

/** The golden messages of test/samples/golden. */
export function goldens(): Golden[] {
  const folder = join(root, 'test/samples/golden')
  return readdirSync(folder)
    .filter((name) => name.endsWith('.bin'))
    .map((file) => {
      const name = file.slice(0, -4)
      const { message } = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Golden
      return { name, id: name.slice(0, 4), bytes: readFileSync(join(folder, file)), message }
    })
}

/** An update of a healthy connected channel. */
export function update(change: Partial<Update>): Update {
  return {
    kind: 'value',
    source: 'SIM:PV',
    timestampNs: 1_700_000_000_123_456_789n,
    dtype: 'float64',
    value: 1.5,
    alarm: { severity: 0, status: 0, message: '' },
    units: 'mm',
    precision: 3,
    enumStrings: null,
    connection: 2,
    first: false,
    repeat: false,
    ...change
  }
}

export const vector = (dtype: VectorType, bytes: ArrayBufferLike, length: number): Vector => ({ dtype, length, bytes: new Uint8Array(bytes) }) // prettier-ignore
export const doubles = (...list: number[]): Vector => vector('float64', Float64Array.from(list).buffer, list.length)
export const longs = (...list: bigint[]): Vector => vector('int64', BigInt64Array.from(list).buffer, list.length)
export const array = (value: Vector): Partial<Update> => ({ value, dtype: value.dtype })
export const tree = (typeId: string, fields: Record<string, PvValue>): PvStructure => ({
  typeId,
  fields: new Map(Object.entries(fields))
})
export const table = (columns: Record<string, PvValue>): Partial<Update> => ({
  dtype: 'structure',
  value: tree('epics:nt/NTTable:1.0', { value: tree('', columns) })
})
export const alarm = (severity: number, status: number, message = ''): Partial<Update> => ({
  alarm: { severity, status, message }
})
export const state = (connection: number, more: Partial<Update> = {}): Partial<Update> => ({ kind: 'connection', value: null, connection, ...more }) // prettier-ignore

/** Opens a converter; each call gives the records of the messages for one update. */
export async function records(id: string, config: Record<string, unknown> = {}) {
  const converter = await openConverter(id, config)
  return (change: Partial<Update>): Record<string, unknown>[] =>
    converter.convert!(update(change)).map(({ value }) => converter.decode!(Buffer.from(value)) as Record<string, unknown>) // prettier-ignore
}
/** One field of the first message. */
export const field = (list: readonly Record<string, unknown>[], name: string): unknown => list[0]?.[name]
export const reason = (why: string) => ({ reason: why })
