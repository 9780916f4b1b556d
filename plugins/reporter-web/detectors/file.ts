// A JSON file that describes detectors: read with care, and refused by its name, the key in it and what to do.
import { readFileSync, statSync } from 'node:fs'
import { CodedError } from '../../../core/api/plugin.js'

export type Keys = Readonly<Record<string, unknown>>

const kinds = {
  // Such files have about one kilobyte
  daqlite: { what: 'a config file of daqlite', most: 262_144 },
  nexus_structure: { what: 'a file with a nexus_structure', most: 268_435_456 }
} as const

const MOST_TEXT = 200

export class DescriptionFile {
  /** @param path - of the option that names it */
  constructor(
    readonly file: string,
    readonly kind: keyof typeof kinds,
    readonly path: string
  ) {}

  /** Throws CONFIG_INVALID. */
  parsed(): unknown {
    const text = this.#read()
    try {
      return JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text)
    } catch (cause) {
      throw this.#refusal(`is no JSON (${(cause as Error).message}); name ${kinds[this.kind].what}`, cause)
    }
  }

  objectOf(value: unknown, at: string): Keys {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.wrong(at === '' ? '/' : at, 'must be a JSON object')
    return value as Keys
  }

  /** Undefined: there is none, or an empty one. */
  text(keys: Keys, at: string, key: string): string | undefined {
    const value = own(keys, key)
    if (value === undefined || value === '') return undefined
    if (typeof value === 'string' && value.length <= MOST_TEXT) return value
    throw this.wrong(`${at}/${key}`, `must be a text of at most ${MOST_TEXT} characters; it is ${short(value)}`)
  }

  wrong(key: string, text: string): CodedError {
    return this.#refusal(`is wrong: ${key} ${text}`)
  }

  /** Never waits: a pipe or a device is no such file. */
  #read(): string {
    const { what, most } = kinds[this.kind]
    try {
      const stat = statSync(this.file)
      if (!stat.isFile()) throw new Error('it is no ordinary file')
      if (stat.size > most) throw new Error(`it has ${stat.size} bytes, more than ${most}`)
      return readFileSync(this.file, 'utf8')
    } catch (cause) {
      throw this.#refusal(`cannot be read: ${(cause as Error).message}; name ${what}`, cause)
    }
  }

  #refusal(text: string, cause?: unknown): CodedError {
    return new CodedError('CONFIG_INVALID', `${this.file} ${text}`, { path: this.path, cause })
  }
}

export const own = (keys: Keys, key: string): unknown => (Object.hasOwn(keys, key) ? keys[key] : undefined)

export function short(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}
