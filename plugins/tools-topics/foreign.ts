// Messages of schemas that only a plugin of the config knows, as JSON like that of the others.
import { type Context, type PartLookup, type ToolContext } from '../../core/api/plugin.js'
import {
  decodeJson,
  numbersIn,
  schemaId,
  schemaIds,
  type Converter,
  isVector,
  converterOf
} from '../../schemas/index.js'

/** A message as JSON with its id. Throws BadMessage. */
export type Decode = (value: Uint8Array) => { readonly file_identifier: string; readonly message: unknown }

export interface ForeignDecoder {
  readonly decode: Decode
  close(): Promise<void>
}

/** Of our schemas, and of those that the plugins of the config bring, which are loaded when it names any. */
export async function decoderOf({ loadParts }: ToolContext): Promise<ForeignDecoder> {
  const loaded = await loadParts()
  if (loaded === undefined) return { decode: (value) => decodeJson(value), close: () => Promise.resolve() }
  return { decode: withConverters(loaded.parts), close: () => loaded.close() }
}

function withConverters(parts: PartLookup): Decode {
  const ours = new Set(schemaIds)
  const opened = new Map<string, Converter | undefined>()
  return (value) => {
    const id = schemaId(value)
    if (id === undefined || ours.has(id)) return decodeJson(value)
    if (!opened.has(id)) opened.set(id, open(parts, id))
    const record = opened.get(id)?.decode?.(Buffer.from(value))
    return record === undefined ? decodeJson(value) : { file_identifier: id, message: plain(record) }
  }
}

const context: Context = {
  jobId: '',
  signal: new AbortController().signal,
  log: () => undefined,
  count: () => undefined
}

function open(parts: PartLookup, id: string): Converter | undefined {
  const part = converterOf(parts, id)
  const options = {}
  return part === undefined || parts.check(part.config, options).length > 0 ? undefined : part.open(options, context)
}

/** As the JSON of the schemas has it: names in snake_case, times without their unit, 64-bit integers as text, vectors as lists. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (isVector(value)) return [...numbersIn(value)].map(plain)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  const name = (key: string): string => key.replace(/Ns$/, '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [name(key), plain(item)]))
}
