// pvAccess messages that a reading client sends (little-endian). There is no put, process or RPC among them, on purpose.

export const Command = {
  BEACON: 0, VALIDATION: 1, ECHO: 2, SEARCH: 3, SEARCH_RESPONSE: 4, CREATE_CHANNEL: 7, DESTROY_CHANNEL: 8,
  VALIDATED: 9, MONITOR: 13, DESTROY_REQUEST: 15, MESSAGE: 18
} as const // prettier-ignore

/** Bits of the flags byte of a message. */
export const Flag = { CONTROL: 0x01, SEGMENT: 0x30, FIRST: 0x10, LAST: 0x20, SERVER: 0x40, BIG_ENDIAN: 0x80 } as const
export const MAGIC = 0xca
/** Bits of the monitor sub-command. */
export const Sub = { INIT: 0x08, DESTROY: 0x10, START: 0x44, PIPELINE: 0x80 } as const

const VERSION = 2
const STRING = 0x60
const STRUCTURE = 0x80

/** Gathers one message. */
class Message {
  readonly #command: number
  readonly #parts: Uint8Array[] = []

  constructor(command: number) {
    this.#command = command
  }

  u8(value: number): this {
    this.#parts.push(Uint8Array.of(value))
    return this
  }

  u16(value: number): this {
    this.#parts.push(Uint8Array.of(value & 255, value >>> 8))
    return this
  }

  u32(value: number): this {
    this.#parts.push(Uint8Array.of(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24))
    return this
  }

  raw(bytes: Uint8Array): this {
    this.#parts.push(bytes)
    return this
  }

  size(value: number): this {
    return value < 254 ? this.u8(value) : this.u8(254).u32(value)
  }

  text(value: string): this {
    const bytes = Buffer.from(value, 'utf8')
    return this.size(bytes.length).raw(bytes)
  }

  /** A structure type without an id. */
  structure(fields: number): this {
    return this.u8(STRUCTURE).text('').size(fields)
  }

  done(): Buffer {
    const body = this.body()
    const header = Buffer.from([MAGIC, VERSION, 0, this.#command, 0, 0, 0, 0])
    header.writeUInt32LE(body.length, 4)
    return Buffer.concat([header, body])
  }

  body(): Buffer {
    return Buffer.concat(this.#parts)
  }
}

export interface SearchName {
  readonly cid: number
  readonly name: string
}

const ANY_ADDRESS = new Uint8Array(16).fill(0xff, 10, 12)

/** A search; answers go to the sender's address at `replyPort`. `unicast` lets a server pass it on to others of its host. */
export function searchMessage(
  sequence: number,
  unicast: boolean,
  replyPort: number,
  names: readonly SearchName[]
): Buffer {
  const message = new Message(Command.SEARCH)
    .u32(sequence)
    .u8(unicast ? 0x80 : 0)
    .raw(new Uint8Array(3))
  message.raw(ANY_ADDRESS).u16(replyPort).size(1).text('tcp').u16(names.length)
  for (const { cid, name } of names) message.u32(cid).text(name)
  return message.done()
}

/** Bytes that a name takes in a search. */
export const searchBytes = (name: string): number => {
  const length = Buffer.byteLength(name)
  return 4 + (length < 254 ? 1 : 5) + length
}

/** Answer to the server's greeting: who we are, by the method `ca` (as Channel Access does) when the server knows it. */
export function validationMessage(methods: readonly string[], user: string, host: string): Buffer {
  const message = new Message(Command.VALIDATION).u32(0x20000).u16(0x7fff).u16(0)
  if (!methods.includes('ca')) return message.text('anonymous').u8(0xff).done()
  message.text('ca').structure(2).text('user').u8(STRING).text('host').u8(STRING)
  return message.text(user).text(host).done()
}

export const echoMessage = (): Buffer => new Message(Command.ECHO).done()

export const createMessage = (cid: number, name: string): Buffer =>
  new Message(Command.CREATE_CHANNEL).u16(1).u32(cid).text(name).done()

export const destroyChannelMessage = (sid: number, cid: number): Buffer =>
  new Message(Command.DESTROY_CHANNEL).u32(sid).u32(cid).done()

/** Begins a monitor; `queueSize` > 0: the server may have so many updates under way, `ackMessage` lets more come. */
export function monitorMessage(sid: number, ioid: number, request: Uint8Array, queueSize: number): Buffer {
  const message = new Message(Command.MONITOR).u32(sid).u32(ioid)
  message.u8(queueSize > 0 ? Sub.INIT | Sub.PIPELINE : Sub.INIT).raw(request)
  if (queueSize > 0) message.u32(queueSize)
  return message.done()
}

export const startMessage = (sid: number, ioid: number): Buffer =>
  new Message(Command.MONITOR).u32(sid).u32(ioid).u8(Sub.START).done()

export const ackMessage = (sid: number, ioid: number, count: number): Buffer =>
  new Message(Command.MONITOR).u32(sid).u32(ioid).u8(Sub.PIPELINE).u32(count).done()

interface Tree {
  readonly [name: string]: Tree | string
}

/** pvRequest: type and value. `fields`: dotted names, [] for everything; `queueSize`: updates that the server keeps, 0: as it likes. */
export function pvRequest(fields: readonly string[], queueSize: number, isPipeline: boolean): Buffer {
  const field: { [name: string]: Tree } = {}
  for (const path of fields) addPath(field, path.split('.'))
  const request: { [name: string]: Tree } = { field }
  const size = { queueSize: String(queueSize) }
  if (queueSize > 0) request['record'] = { _options: isPipeline ? { pipeline: 'true', ...size } : size }
  const message = new Message(Command.MONITOR)
  writeType(message, request)
  writeValue(message, request)
  return message.body()
}

function addPath(tree: { [name: string]: Tree }, path: readonly string[]): void {
  const [name, ...rest] = path
  if (name === undefined || name === '') return
  const below = (tree[name] ??= Object.create(null) as Tree) as { [name: string]: Tree }
  addPath(below, rest)
}

function writeType(message: Message, tree: Tree): void {
  const entries = Object.entries(tree)
  message.structure(entries.length)
  for (const [name, below] of entries) {
    message.text(name)
    if (typeof below === 'string') message.u8(STRING)
    else writeType(message, below)
  }
}

function writeValue(message: Message, tree: Tree): void {
  for (const below of Object.values(tree)) {
    if (typeof below === 'string') message.text(below)
    else writeValue(message, below)
  }
}
