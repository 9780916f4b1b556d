// Writes pvAccess messages in either byte order, for tests: made from the specification, shares nothing with the client.
import { type PvType } from '../../plugins/source-epics/pva/types.js'

/** What a test gives for a value: arrays of numbers for vectors, objects for structures, [member, value] for unions. */
export type Plain = number | bigint | boolean | string | null | Plain[] | { [name: string]: Plain }

export class PvaEncoder {
  readonly #be: boolean
  readonly #parts: Buffer[] = []

  constructor(isBigEndian: boolean) {
    this.#be = isBigEndian
  }

  #number(size: number, write: (view: DataView) => void): this {
    const bytes = Buffer.alloc(size)
    write(new DataView(bytes.buffer, bytes.byteOffset, size))
    this.#parts.push(bytes)
    return this
  }

  u8 = (n: number): this => this.#number(1, (view) => view.setUint8(0, n & 255))
  u16 = (n: number): this => this.#number(2, (view) => view.setUint16(0, n, !this.#be))
  u32 = (n: number): this => this.#number(4, (view) => view.setUint32(0, n, !this.#be))
  size = (n: number): this => (n < 254 ? this.u8(n) : this.u8(254).u32(n))

  raw(bytes: Uint8Array): this {
    this.#parts.push(Buffer.from(bytes))
    return this
  }

  text(text: string): this {
    const bytes = Buffer.from(text)
    return this.size(bytes.length).raw(bytes)
  }

  scalar(code: number, value: Plain): this {
    const n = Number(value)
    switch (code) {
      case 0x00: return this.u8(value === true ? 1 : n)
      case 0x20: case 0x24: return this.u8(n)
      case 0x21: case 0x25: return this.u16(n & 0xffff)
      case 0x22: case 0x26: return this.u32(n >>> 0)
      case 0x23: case 0x27: return this.#number(8, (view) => view.setBigInt64(0, BigInt.asIntN(64, BigInt(value as bigint)), !this.#be))
      case 0x42: return this.#number(4, (view) => view.setFloat32(0, n, !this.#be))
      case 0x43: return this.#number(8, (view) => view.setFloat64(0, n, !this.#be))
      default: return this.text(value as string)
    } // prettier-ignore
  }

  type(type: PvType): this {
    switch (type.kind) {
      case 'scalar': return this.u8(type.code)
      case 'array': return type.fixed >= 0 ? this.u8(type.code | 0x18).size(type.fixed) : this.u8(type.code | 0x08)
      case 'any': return this.u8(0x82)
      case 'any-array': return this.u8(0x8a)
      case 'structure-array': return this.u8(0x88).type(type.element)
      case 'union-array': return this.u8(0x89).type(type.element)
      default: {
        this.u8(type.kind === 'structure' ? 0x80 : 0x81).text(type.id).size(type.fields.length)
        for (const field of type.fields) this.text(field.name).type(field.type)
        return this
      }
    } // prettier-ignore
  }

  value(type: PvType, value: Plain): this {
    switch (type.kind) {
      case 'scalar': return this.scalar(type.code, value)
      case 'array': {
        const list = value as Plain[]
        if (type.fixed < 0) this.size(list.length)
        for (const one of list) this.scalar(type.code, one)
        return this
      }
      case 'structure': {
        for (const field of type.fields) this.value(field.type, (value as { [name: string]: Plain })[field.name] ?? null)
        return this
      }
      case 'union': {
        if (value === null) return this.u8(0xff)
        const [name, inner] = value as [string, Plain]
        const chosen = type.fields.findIndex((field) => field.name === name)
        return this.size(chosen).value((type.fields[chosen] as { type: PvType }).type, inner)
      }
      case 'any': return this.u8(0x22).scalar(0x22, value) // Always an int32 here
      default: {
        const list = value as Plain[]
        this.size(list.length)
        for (const one of list) {
          if (one === null) this.u8(0)
          else if (type.kind === 'any-array') this.u8(1).u8(0x22).scalar(0x22, one)
          else this.u8(1).value(type.element, one)
        }
        return this
      }
    } // prettier-ignore
  }

  /** A bit mask with the words of 8 bytes in the byte order of the message. */
  mask(bits: readonly number[]): this {
    const bytes = Buffer.alloc(bits.length === 0 ? 0 : (Math.max(...bits) >> 3) + 1)
    for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7))
    if (this.#be) for (let at = 0; at + 8 <= bytes.length; at += 8) bytes.subarray(at, at + 8).reverse()
    return this.size(bytes.length).raw(bytes)
  }

  body(): Buffer {
    return Buffer.concat(this.#parts)
  }

  /** The message with its header; `segments` > 1: cut into so many. */
  message(command: number, segments = 1): Buffer {
    const body = this.body()
    const step = Math.max(1, Math.ceil(body.length / segments))
    const parts: Buffer[] = []
    for (let i = 0; i < segments; i++) {
      const part = body.subarray(i * step, (i + 1) * step)
      const segment = segments === 1 ? 0 : i === 0 ? 0x10 : i === segments - 1 ? 0x20 : 0x30
      const header = Buffer.from([0xca, 2, 0x40 | segment | (this.#be ? 0x80 : 0), command, 0, 0, 0, 0])
      if (this.#be) header.writeUInt32BE(part.length, 4)
      else header.writeUInt32LE(part.length, 4)
      parts.push(header, part)
    }
    return Buffer.concat(parts)
  }
}
