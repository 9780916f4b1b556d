// The start of an object header that plan-writer.ts made, read from the file to be changed by one write.
import { type Disk } from './disk.js'
import { continuation, type HeaderMessage, type FilePlace, readHeader } from './format.js'
import { MESSAGE, message, pair } from './messages.js'

/** Prefix, then the slot for late attributes, then (groups and columns) what leads to tables elsewhere. */
export const PREFIX_BYTES = 16
export const SLOT_BYTES = 24
const COUNT_AT = 2
const SIZE_AT = 8
const SLOT_AT = PREFIX_BYTES
const CONTENT_AT = SLOT_AT + SLOT_BYTES
const HEAD_BYTES = CONTENT_AT + SLOT_BYTES

/** The name in an attribute message with its prefix; '' for any other message. */
export function attributeName(part: Buffer): string {
  if (part.readUInt16LE(0) !== MESSAGE.attribute) return ''
  return part.toString('utf8', 16, 16 + part.readUInt16LE(10) - 1)
}

const whole = ({ block, offset, length }: HeaderMessage): Buffer => block.bytes.subarray(offset - 8, offset + length)

/** Names of the attributes of an object in the file. */
export const attributesAt = (disk: Disk, address: number): string[] =>
  readHeader(disk, address)
    .map((found) => attributeName(whole(found)))
    .filter((name) => name !== '')

export class Head {
  /** Of the file, with the changes. */
  bytes: Buffer

  readonly #disk: Disk
  readonly #address: number
  readonly #path: string

  constructor(disk: Disk, address: number, path: string) {
    this.#disk = disk
    this.#address = address
    this.#path = path

    this.bytes = disk.read(HEAD_BYTES, address, path)
  }

  /** Messages in all blocks of the header. */
  get count(): number {
    return this.bytes.readUInt16LE(COUNT_AT)
  }

  set count(count: number) {
    this.bytes.writeUInt16LE(count, COUNT_AT)
  }

  /** The newest block of late attributes. */
  get late(): FilePlace | undefined {
    const type = this.bytes.readUInt16LE(SLOT_AT)
    return type === MESSAGE.continuation ? continuation({ block: this, offset: SLOT_AT + 8 }) : undefined
  }

  set late({ at, length }: FilePlace) {
    message(MESSAGE.continuation, pair(at, length)).copy(this.bytes, SLOT_AT)
  }

  /** The message that leads to the links of a group. */
  content(part: Buffer): void {
    part.copy(this.bytes, CONTENT_AT)
  }

  /** Takes attributes off. Those in late blocks that stay are returned: they need a new block. */
  remove(names: ReadonlySet<string>): Buffer[] {
    const disk = this.#disk,
      address = this.#address
    const messages = readHeader(disk, address)
    const own = disk.read(PREFIX_BYTES + this.bytes.readUInt32LE(SIZE_AT), address, this.#path)
    this.bytes.copy(own)
    const stay: Buffer[] = []
    for (let { late } = this; late;) {
      const { at } = late
      const inside = messages.filter(({ block }) => block.at === at)
      const [first] = inside
      this.count -= inside.length
      late = first?.type === MESSAGE.continuation ? continuation(first) : undefined
      stay.push(...inside.filter(({ type }) => type === MESSAGE.attribute).map(whole))
    }
    for (const found of messages)
      if (found.block.at === address && names.has(attributeName(whole(found))))
        own.writeUInt16LE(MESSAGE.nil, found.offset - 8)
    this.bytes.copy(own, 0, 0, HEAD_BYTES)
    this.bytes = own
    return stay.filter((part) => !names.has(attributeName(part)))
  }

  write(): void {
    this.#disk.write(this.bytes, this.#address, `header of ${this.#path}`)
  }
}
