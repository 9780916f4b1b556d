// The keys that all streams have, one by one: each is read, or said to be wrong and left out.
import { numberText, plainNumbers } from '../../../core/api/plugin.js'
import { isFilter, isLevel } from '../file/levels.js'
import { below, isObject, own, type Findings, type JsonObject } from './findings.js'
import { fitted } from './fitting.js'
import { type MissingTopic, type PlanStream } from './plan.js'

/** Undefined when it is needed and not there. */
export function text(
  config: JsonObject,
  key: string,
  needed: boolean,
  at: string,
  findings: Findings
): string | undefined {
  const raw = own(config, key)
  const value = numberText(raw) ?? (typeof raw === 'number' ? String(raw) : raw)
  if (typeof value === 'string' && (value !== '' || !needed)) return value
  if (needed || value !== undefined) findings.add(below(at, key), `is missing; a stream needs its ${key}`)
  return needed ? undefined : ''
}

/** Ascending, so that the same ones are the same. */
export function partitions(config: JsonObject, at: string, findings: Findings): readonly number[] | undefined {
  const list = fitted(plainNumbers(own(config, 'partitions')), { items: { type: 'integer' } })
  if (list === undefined) return undefined
  const sound = (n: unknown): n is number => Number.isInteger(n) && (n as number) >= 0 && (n as number) < 2 ** 31
  if (Array.isArray(list) && list.length > 0 && list.every(sound) && new Set(list).size === list.length)
    return list.toSorted((a, b) => a - b)
  findings.add(below(at, 'partitions'), 'must be a list of different partition numbers')
  return undefined
}

export function flag(config: JsonObject, key: string, at: string, findings: Findings): boolean {
  const value = fitted(own(config, key) ?? false, { type: 'boolean' })
  if (typeof value !== 'boolean') findings.add(below(at, key), 'must be true or false')
  return value === true
}

export function policy(config: JsonObject, key: string, at: string, findings: Findings): MissingTopic | undefined {
  const value = own(config, key)
  if (value === undefined || value === 'wait' || value === 'skip' || value === 'fail') return value
  findings.add(below(at, key), 'must be wait, skip or fail')
  return undefined
}

/** `gzip`, `zstd`, `lz4`, `bitshuffle`, `none` or `{ filter, level, shuffle }`. */
export function compression(config: JsonObject, at: string, findings: Findings): PlanStream['compression'] {
  const value = own(config, 'compression')
  if (value === undefined) return undefined
  if (value === 'none' || value === null) return null
  const { filter, level, shuffle, ...rest }: JsonObject = isObject(value) ? value : { filter: value }
  const isSwitch = shuffle === undefined || typeof shuffle === 'boolean'
  if (isFilter(filter) && isLevel(filter, level) && isSwitch && Object.keys(rest).length === 0)
    return { filter, ...(level !== undefined && { level }), ...(shuffle !== undefined && { shuffle }) }
  findings.add(
    below(at, 'compression'),
    'must be gzip, zstd, lz4, bitshuffle, none, or an object of filter, level (gzip 1-9, zstd 1-22) and shuffle (true, false)'
  )
  return undefined
}

export const keyIn = (path: string): string => (path.split('/')[1] ?? '').replaceAll('~1', '/').replaceAll('~0', '~')
