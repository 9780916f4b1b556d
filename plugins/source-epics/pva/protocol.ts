// pvAccess messages that a reading client sends. There is no put, process or RPC among them, on purpose.
// Each in the byte order that the server asked for: some servers read in their own whatever the header says.

export const Command = {
  BEACON: 0, VALIDATION: 1, ECHO: 2, SEARCH: 3, SEARCH_RESPONSE: 4, CREATE_CHANNEL: 7, DESTROY_CHANNEL: 8,
  VALIDATED: 9, MONITOR: 13, DESTROY_REQUEST: 15, MESSAGE: 18
} as const // prettier-ignore

/** Commands of control messages. */
export const Control = { BYTE_ORDER: 2 } as const

/** Bits of the flags byte of a message. */
export const Flag = { CONTROL: 0x01, SEGMENT: 0x30, FIRST: 0x10, LAST: 0x20, SERVER: 0x40, BIG_ENDIAN: 0x80 } as const
export const MAGIC = 0xca
/** Bits of the monitor sub-command. */
export const Sub = { INIT: 0x08, DESTROY: 0x10, START: 0x44, PIPELINE: 0x80 } as const

const VERSION = 2
const STRING = 0x60
const STRUCTURE = 0x80

/** Gathers one message. */
class PvaMessage {
  readonly #command: number
  readonly #isBigEndian: boolean
  readonly #parts: Uint8Array[] = []

  constructor(command: number, isBigEndian: boolean) {
    this.#command = command
    this.#isBigEndian = isBigEndian
  }

  u8(value: number): this {
    this.#parts.push(Uint8Array.of(value))
    return this
  }

  u16(value: number): this {
    return this.#number(Uint8Array.of(value & 255, value >>> 8))
  }

  u32(value: number): this {
    return this.#number(Uint8Array.of(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24))
  }

  #number(little: Uint8Array): this {
    this.#parts.push(this.#isBigEndian ? little.reverse() : little)
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
    const body = Buffer.concat(this.#parts)
    const header = Buffer.from([MAGIC, VERSION, 0, this.#command, 0, 0, 0, 0])
    if (this.#isBigEndian) {
      header[2] = Flag.BIG_ENDIAN
      header.writeUInt32BE(body.length, 4)
    } else header.writeUInt32LE(body.length, 4)
    return Buffer.concat([header, body])
  }
}

export interface SearchName {
  readonly cid: number
  readonly name: string
}

const ANY_ADDRESS = new Uint8Array(16).fill(0xff, 10, 12)

/** A search; answers go to the sender's address at `replyPort`. `unicast` lets a server pass it on to others of its host. */
export function searchMessage(
  isBigEndian: boolean,
  sequence: number,
  unicast: boolean,
  replyPort: number,
  names: readonly SearchName[]
): Buffer {
  const message = new PvaMessage(Command.SEARCH, isBigEndian)
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
export function validationMessage(
  isBigEndian: boolean,
  methods: readonly string[],
  user: string,
  host: string
): Buffer {
  const message = new PvaMessage(Command.VALIDATION, isBigEndian).u32(0x20000).u16(0x7fff).u16(0)
  if (!methods.includes('ca')) return message.text('anonymous').u8(0xff).done()
  message.text('ca').structure(2).text('user').u8(STRING).text('host').u8(STRING)
  return message.text(user).text(host).done()
}

export const echoMessage = (isBigEndian: boolean): Buffer => new PvaMessage(Command.ECHO, isBigEndian).done()

export const createMessage = (isBigEndian: boolean, cid: number, name: string): Buffer =>
  new PvaMessage(Command.CREATE_CHANNEL, isBigEndian).u16(1).u32(cid).text(name).done()

export const destroyChannelMessage = (isBigEndian: boolean, sid: number, cid: number): Buffer =>
  new PvaMessage(Command.DESTROY_CHANNEL, isBigEndian).u32(sid).u32(cid).done()

/** Begins a monitor; `queueSize` > 0: the server may have so many updates under way, `ackMessage` lets more come. */
export function monitorMessage(
  isBigEndian: boolean,
  sid: number,
  ioid: number,
  request: PvRequest,
  queueSize: number
): Buffer {
  const message = new PvaMessage(Command.MONITOR, isBigEndian).u32(sid).u32(ioid)
  message.u8(queueSize > 0 ? Sub.INIT | Sub.PIPELINE : Sub.INIT)
  writeType(message, request)
  writeValue(message, request)
  if (queueSize > 0) message.u32(queueSize)
  return message.done()
}

export const startMessage = (isBigEndian: boolean, sid: number, ioid: number): Buffer =>
  new PvaMessage(Command.MONITOR, isBigEndian).u32(sid).u32(ioid).u8(Sub.START).done()

export const ackMessage = (isBigEndian: boolean, sid: number, ioid: number, count: number): Buffer =>
  new PvaMessage(Command.MONITOR, isBigEndian).u32(sid).u32(ioid).u8(Sub.PIPELINE).u32(count).done()

/** A structure of structures and texts: what a monitor is asked for. */
export interface PvRequest {
  readonly [name: string]: PvRequest | string
}

/** `fields`: dotted names, [] for everything; `queueSize`: updates that the server keeps, 0: as it likes. */
export function pvRequest(fields: readonly string[], queueSize: number, isPipeline: boolean): PvRequest {
  const field: { [name: string]: PvRequest } = {}
  for (const path of fields) addPath(field, path.split('.'))
  const size = { queueSize: String(queueSize) }
  return queueSize > 0 ? { field, record: { _options: isPipeline ? { pipeline: 'true', ...size } : size } } : { field }
}

function addPath(tree: { [name: string]: PvRequest }, path: readonly string[]): void {
  const [name, ...rest] = path
  if (name === undefined || name === '') return
  const below = (tree[name] ??= Object.create(null) as PvRequest) as { [name: string]: PvRequest }
  addPath(below, rest)
}

function writeType(message: PvaMessage, tree: PvRequest): void {
  const entries = Object.entries(tree)
  message.structure(entries.length)
  for (const [name, below] of entries) {
    message.text(name)
    if (typeof below === 'string') message.u8(STRING)
    else writeType(message, below)
  }
}

function writeValue(message: PvaMessage, tree: PvRequest): void {
  for (const below of Object.values(tree)) {
    if (typeof below === 'string') message.text(below)
    else writeValue(message, below)
  }
}
