// Messages from a file instead of Kafka: one JSON object a line, as bytes (base64), as a .bin file or as a readable record.
import { typedArrays } from '../../../schemas/numbers.js'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { CodedError, type Context, numberText } from '../../../core/api/plugin.js'
import { isObject, own, type JsonObject } from './findings.js'
import { openConverter } from './recorder.js'
import { type WriterParts } from './structure.js'
import { readJson, type Converter, type Vector, type VectorType, converterOf } from '../../../schemas/index.js'

export interface TopicMessage {
  readonly topic: string
  /** Undefined: any that is asked for. */
  readonly partition?: number
  readonly value: Buffer
}

type ReadLine = (line: string, number: number) => TopicMessage | undefined

/**
 * Each line: `{ "topic", "value": base64 }` (as `tail --raw` prints them), `{ "topic", "file": "x.bin" }` or `{ "topic", "schema": "f144", "record": {…} }`, each with
 * or without a `partition` (times and 64-bit integers as numbers, vectors as `{ "dtype", "values": […] }`). Empty lines, lines with # and messages without a value
 * (null) are skipped. The function throws CodedError FILE_READ naming the line.
 */
function lineReader(folder: string, parts: WriterParts, name?: string): ReadLine {
  const encoders = new Map<string, Converter>()
  return (line, number) => {
    if (line.trim() === '' || line.startsWith('#')) return undefined
    try {
      const json = readJson(line)
      if (!isObject(json) || typeof own(json, 'topic') !== 'string') throw new Error('needs a topic')
      if (own(json, 'value') === null) return undefined
      const partition = own(json, 'partition')
      if (partition !== undefined && !Number.isInteger(partition)) throw new Error('has a partition that is no number')
      const place = {
        topic: own(json, 'topic') as string,
        ...(partition !== undefined && { partition: partition as number })
      }
      return { ...place, value: valueOf(json, folder, parts, encoders) }
    } catch (cause) {
      const where = name === undefined ? '' : `${name}: `
      const hint = number === 1 ? "; each line is one message in JSON, as 'nexstream tail --raw' prints them" : ''
      throw new CodedError('FILE_READ', `${where}line ${number}: ${(cause as Error).message}${hint}`, { cause })
    }
  }
}

/** All of a text. Throws CodedError FILE_READ naming the line. */
export function readMessages(text: string, folder: string, parts: WriterParts): TopicMessage[] {
  const read = lineReader(folder, parts)
  return text.split('\n').flatMap((line, i) => read(line, i + 1) ?? [])
}

/** One after the other, however many there are. Throws CodedError FILE_READ naming the file and the line. */
export async function* messagesIn(
  lines: AsyncIterable<string>,
  { folder, name }: { readonly folder: string; readonly name: string },
  parts: WriterParts
): AsyncGenerator<TopicMessage> {
  const read = lineReader(folder, parts, name)
  let number = 0
  for await (const line of lines) {
    const message = read(line, ++number)
    if (message !== undefined) yield message
  }
}

function valueOf(json: JsonObject, folder: string, parts: WriterParts, encoders: Map<string, Converter>): Buffer {
  const { value, file, schema, record } = json
  if (typeof value === 'string') return Buffer.from(value, 'base64')
  if (typeof file === 'string') return readFileSync(resolve(folder, file))
  if (typeof schema !== 'string' || !isObject(record)) throw new Error('needs value, file, or schema with record')
  let encoder = encoders.get(schema)
  if (encoder === undefined) {
    const part = converterOf(parts, schema)
    if (part === undefined) throw new Error(`no converter '${schema}' is loaded`)
    encoders.set(schema, (encoder = openConverter(part, context, parts)))
  }
  if (encoder.encode === undefined) throw new Error(`'${schema}' cannot be encoded`)
  const bytes = encoder.encode(revive(record))
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

const context: Context = {
  jobId: '',
  signal: new AbortController().signal,
  log: () => undefined,
  count: () => undefined
}

const bigKeys = /(Ns|^messageId|^messageCounter|^sequence)$/

/** Integers beyond 2^53 stay whole. */
function withDigits(value: unknown): unknown {
  const text = numberText(value)
  if (text === undefined) return value
  return /^-?\d+$/.test(text) && !Number.isSafeInteger(Number(text)) ? BigInt(text) : Number(text)
}

function revive(given: unknown, key = ''): unknown {
  if (Array.isArray(given)) return given.map((item) => revive(item))
  const value = withDigits(given)
  if (typeof value === 'number' && bigKeys.test(key)) return BigInt(value)
  if (!isObject(value)) return value
  if (typeof value['dtype'] === 'string' && Array.isArray(value['values']))
    return vectorOf(value['dtype'] as VectorType, value['values'] as unknown[])
  const long = value['dtype'] === 'int64' || value['dtype'] === 'uint64'
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      const revived = revive(item, name)
      return [name, long && name === 'value' && typeof revived === 'number' ? BigInt(revived) : revived]
    })
  )
}

/** A list of numbers as little-endian bytes. */
export function vectorOf(dtype: VectorType, values: readonly unknown[]): Vector {
  const list = values.map((value) => revive(value))
  const typed =
    dtype === 'int64'
      ? BigInt64Array.from(list.map((value) => BigInt(value as number)))
      : dtype === 'uint64'
        ? BigUint64Array.from(list.map((value) => BigInt(value as number)))
        : typedArrays[dtype].from(list as number[])
  return { dtype, length: list.length, bytes: new Uint8Array(typed.buffer) }
}
