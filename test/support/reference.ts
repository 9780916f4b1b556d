// Messages as the reference package of the field (ess-streaming-data-types) reads them.
import { fileURLToPath } from 'node:url'
import { runPython } from './python.js'

export interface Reference {
  readonly id: string
  /** Union member (f142, f144) or element type of the value. */
  readonly type: string | null
  /** The named tuple of the package; integers beyond 2^53 are text ending in `n`. */
  readonly content: Readonly<Record<string, unknown>>
}

const script = fileURLToPath(new URL('../../../test/support/python/decode_messages.py', import.meta.url))

export async function readByReference(values: readonly Uint8Array[]): Promise<Reference[]> {
  if (values.length === 0) return []
  const input = values.map((value) => Buffer.from(value).toString('base64')).join('\n')
  const lines = (await runPython(script, [], input)).trim().split('\n')
  return lines.map((line) => JSON.parse(line) as Reference)
}
