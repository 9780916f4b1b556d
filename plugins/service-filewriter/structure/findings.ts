// Collects what is wrong with a structure, each with its JSON path.
import { type Finding } from '../../../core/api/plugin.js'

const LIMIT = 1000

export class Findings {
  readonly list: Finding[] = []

  add(path: string, message: string, code = 'STRUCTURE_INVALID'): void {
    if (this.list.length < LIMIT) this.list.push({ code, path: path || '/', message })
    else if (this.list.length === LIMIT)
      this.list.push({ code, path, message: `more than ${LIMIT} findings; the rest is not listed` })
  }

  has(path: string): boolean {
    return this.list.some((finding) => finding.path === path)
  }
}

/** JSON pointer of a key below `at`. */
export const below = (at: string, key: string | number): string =>
  `${at}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`

export type JsonObject = Readonly<Record<string, unknown>>

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Own keys only, so that `__proto__` and friends in hostile JSON mean nothing. */
export const own = (object: JsonObject, key: string): unknown => (Object.hasOwn(object, key) ? object[key] : undefined)

/** Why this cannot be the name of something in a file; undefined when it can. */
export function nameTrouble(name: unknown): string | undefined {
  if (typeof name !== 'string' || name === '') return 'is missing; give a name'
  if (name.includes('/')) return `'${name}' has a '/', which separates groups`
  if (name === '.' || name === '..' || name.includes('\0')) return `'${name}' is not a name`
  return Buffer.byteLength(name) > 1024 ? 'is longer than 1024 bytes' : undefined
}
