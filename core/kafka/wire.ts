// Reading and writing the primitive types of the Kafka protocol (big-endian), of plain and of flexible versions.

/** The response does not follow the protocol. */
export class WireError extends Error {
  override readonly name = 'WireError'
}

/** Appends primitives to a buffer that grows. */
export class Out {
  #buffer = Buffer.allocUnsafe(256)
  length = 0

  #room(bytes: number): number {
    const at = this.length
    this.length += bytes
    if (this.length > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.length, this.#buffer.length * 2))
      this.#buffer.copy(grown, 0, 0, at)
      this.#buffer = grown
    }
    return at
  }
  i8(value: number): this {
    const at = this.#room(1)
    this.#buffer.writeInt8(value, at)
    return this
  }
  i16(value: number): this {
    const at = this.#room(2)
    this.#buffer.writeInt16BE(value, at)
    return this
  }
  i32(value: number): this {
    const at = this.#room(4)
    this.#buffer.writeInt32BE(value, at)
    return this
  }
  /** Integers up to 2^53. */
  i64(value: number): this {
    const at = this.#room(8)
    this.#buffer.writeInt32BE(Math.floor(value / 4294967296), at)
    this.#buffer.writeUInt32BE(((value % 4294967296) + 4294967296) % 4294967296, at + 4)
    return this
  }
  bool(value: boolean): this {
    return this.i8(value ? 1 : 0)
  }
  string(value: string | null): this {
    if (value === null) return this.i16(-1)
    const bytes = Buffer.byteLength(value)
    this.i16(bytes)
    const at = this.#room(bytes)
    this.#buffer.write(value, at)
    return this
  }
  bytes(value: Uint8Array): this {
    this.i32(value.length)
    const at = this.#room(value.length)
    this.#buffer.set(value, at)
    return this
  }
  array<T>(items: readonly T[], each: (item: T) => void): this {
    this.i32(items.length)
    items.forEach(each)
    return this
  }
  uvarint(value: number): this {
    for (; value > 127; value >>>= 7) this.i8((value & 127) - 128)
    return this.i8(value)
  }
  /** Flexible versions: length + 1, no padding. */
  compactString(value: string): this {
    this.uvarint(Buffer.byteLength(value) + 1)
    const at = this.#room(Buffer.byteLength(value))
    this.#buffer.write(value, at)
    return this
  }
  compactArray<T>(items: readonly T[], each: (item: T) => void): this {
    this.uvarint(items.length + 1)
    items.forEach(each)
    return this
  }
  /** 32 hexadecimal digits. */
  uuid(value: string): this {
    const at = this.#room(16)
    this.#buffer.write(value, at, 'hex')
    return this
  }
  /** Flexible versions: no tagged fields. */
  noTags(): this {
    return this.i8(0)
  }
  done(): Buffer {
    return this.#buffer.subarray(0, this.length)
  }
}

/** Reads primitives; throws WireError at the end of the buffer. */
export class In {
  flexible = false

  constructor(
    readonly buffer: Buffer,
    public at = 0,
    readonly end = buffer.length
  ) {}

  take(bytes: number): number {
    const at = this.at
    if (bytes < 0 || bytes > this.end - at) throw new WireError(`a field of ${bytes} bytes exceeds the response`)
    this.at += bytes
    return at
  }
  i8(): number {
    return this.buffer.readInt8(this.take(1))
  }
  i16(): number {
    return this.buffer.readInt16BE(this.take(2))
  }
  i32(): number {
    return this.buffer.readInt32BE(this.take(4))
  }
  i64(): number {
    const at = this.take(8)
    return this.buffer.readInt32BE(at) * 4294967296 + this.buffer.readUInt32BE(at + 4)
  }
  bool(): boolean {
    return this.i8() !== 0
  }
  /** Of a version with "flexible" fields from here on: other lengths, and tagged fields behind each struct. */
  asFlexible(): this {
    this.flexible = true
    return this
  }
  /** '' for null. */
  string(): string {
    return this.nullableString() ?? ''
  }
  nullableString(): string | null {
    const length = this.flexible ? this.size() : this.i16()
    if (length < 0) return null
    const at = this.take(length)
    return this.buffer.toString('utf8', at, at + length)
  }
  bytes(): Buffer {
    const length = this.i32()
    if (length < 0) return Buffer.alloc(0)
    const at = this.take(length)
    return this.buffer.subarray(at, at + length)
  }
  uvarint(): number {
    let value = 0
    for (let scale = 1; scale < 2 ** 35; scale *= 128) {
      const byte = this.buffer[this.take(1)]!
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
    throw new WireError('a length has too many bytes')
  }
  /** 32 hexadecimal digits. */
  uuid(): string {
    const at = this.take(16)
    return this.buffer.toString('hex', at, at + 16)
  }
  /** Where flexible versions have tagged fields: jumps over them but those that `known` reads. */
  tags(known?: (tag: number) => void): void {
    if (!this.flexible) return
    for (let n = this.uvarint(); n > 0; n--) {
      const tag = this.uvarint()
      const start = this.take(this.uvarint())
      const after = this.at
      this.at = start
      known?.(tag)
      this.at = after
    }
  }
  /** A length of bytes or of an array; -1 for null. */
  size(): number {
    return this.flexible ? this.uvarint() - 1 : this.i32()
  }
  /** Elements of at least one byte each, so that a wild count cannot allocate. */
  array<T>(each: () => T): T[] {
    const count = this.size()
    if (count > this.end - this.at) throw new WireError(`an array of ${count} elements exceeds the response`)
    const items: T[] = []
    for (let i = 0; i < count; i++) items.push(each())
    return items
  }
  /** What most answers are: topics with an array each, one after the other. */
  ofTopics<T>(each: (topic: string) => T): T[] {
    return this.array(() => {
      const topic = this.string()
      return this.array(() => each(topic))
    }).flat()
  }
  /** An array whose elements have several fields. */
  structs<T>(each: () => T): T[] {
    return this.array(() => {
      const item = each()
      this.tags()
      return item
    })
  }
}
