// The value of the BLOCKNAMES channel: hex text of a zlib-compressed JSON list of block names.
import { inflateSync } from 'node:zlib'
import { BadMessage } from '../../core/api/plugin.js'
import { type Update } from '../../schemas/index.js'

/** More than any instrument has, and small enough that a broken value costs nothing. */
const MAX_BYTES = 4 * 1024 * 1024
const MAX_BLOCKS = 20_000
const MAX_NAME = 256

const broken = (why: string): BadMessage => new BadMessage('broken_block_list', `the list of blocks is broken: ${why}`)

/** The text of a character array (up to the first NUL) or string. Throws BadMessage for anything else. */
export function textOf({ value }: Pick<Update, 'value'>): string {
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null || !('bytes' in value) || !value.dtype.endsWith('int8'))
    throw broken('it is no text')
  const end = value.bytes.indexOf(0)
  return Buffer.from(end < 0 ? value.bytes : value.bytes.subarray(0, end)).toString('latin1')
}

/** The block names, each once, in their order. Throws BadMessage. */
export function decodeBlocks(text: string): string[] {
  const hex = text.trim()
  if (hex.length === 0 || hex.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(hex)) throw broken('it is not hexadecimal')
  let json: string
  try {
    json = inflateSync(Buffer.from(hex, 'hex'), { maxOutputLength: MAX_BYTES }).toString()
  } catch (error) {
    throw broken(`it cannot be decompressed (${(error as Error).message})`)
  }
  const names = parse(json)
  if (!Array.isArray(names)) throw broken('it is no JSON list')
  if (names.length > MAX_BLOCKS) throw broken(`it has ${names.length} blocks, more than ${MAX_BLOCKS}`)
  for (const name of names) {
    // A name becomes part of a channel name: no blanks, no wildcards
    if (typeof name !== 'string' || name.length > MAX_NAME || !/^[\x21-\x7e]+$/.test(name) || /[*?]/.test(name))
      throw broken(`${JSON.stringify(name)?.slice(0, 80)} is no block name`)
  }
  return [...new Set(names as string[])]
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json) as unknown
  } catch (error) {
    throw broken(`it is no JSON (${(error as Error).message})`)
  }
}
