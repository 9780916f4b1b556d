// Channel Access 4.13 messages that a reading client sends. There is no write or put among them, on purpose.

export const Command = {
  VERSION: 0, EVENT_ADD: 1, EVENT_CANCEL: 2, SEARCH: 6, NOT_FOUND: 14, ERROR: 11, CLEAR_CHANNEL: 12, BEACON: 13,
  READ_NOTIFY: 15, REPEATER_CONFIRM: 17, CREATE_CHAN: 18, CLIENT_NAME: 20, HOST_NAME: 21, ACCESS_RIGHTS: 22, ECHO: 23,
  REPEATER_REGISTER: 24, CREATE_CH_FAIL: 26, SERVER_DISCONN: 27
} as const // prettier-ignore

/** The highest command number: the stream has no magic number, this is what tells that it is out of step. */
export const MAX_COMMAND = 27
export const MINOR_VERSION = 13
/** From here on count 0 asks for the current length of arrays (EPICS base 3.14.12); servers before take it literally. */
export const LENGTH_VERSION = 13
export const ECA_NORMAL = 1
export const ECA_NO_READ_ACCESS = 368
/** What a subscription asks for (DBE_…). */
export const Mask = { VALUE: 1, LOG: 2, ALARM: 4, PROPERTY: 8 } as const

const DONT_REPLY = 5

/** The fields of a header; their meaning is the command's own. */
interface HeaderFields {
  readonly payload?: Uint8Array
  readonly type?: number
  readonly count?: number
  readonly p1?: number
  readonly p2?: number
}

function message(command: number, { payload, type = 0, count = 0, p1 = 0, p2 = 0 }: HeaderFields = {}): Buffer {
  const size = payload === undefined ? 0 : (payload.length + 7) & ~7
  const isLong = count > 0xffff
  const start = isLong ? 24 : 16
  const bytes = Buffer.alloc(start + size)
  bytes.writeUInt16BE(command, 0)
  bytes.writeUInt16BE(isLong ? 0xffff : size, 2)
  bytes.writeUInt16BE(type, 4)
  bytes.writeUInt16BE(isLong ? 0 : count, 6)
  bytes.writeUInt32BE(p1 >>> 0, 8)
  bytes.writeUInt32BE(p2 >>> 0, 12)
  if (isLong) {
    bytes.writeUInt32BE(size, 16)
    bytes.writeUInt32BE(count, 20)
  }
  if (payload !== undefined) bytes.set(payload, start)
  return bytes
}

const text = (value: string): Buffer => Buffer.from(`${value}\0`, 'utf8')

export const versionMessage = (priority: number): Buffer =>
  message(Command.VERSION, { type: priority, count: MINOR_VERSION })

/** First message of a search datagram; the sequence number lets servers tell repeats. */
export const searchHeader = (sequence: number): Buffer =>
  message(Command.VERSION, { type: 1, count: MINOR_VERSION, p1: sequence })

export const searchMessage = (name: string, cid: number): Buffer =>
  message(Command.SEARCH, { payload: text(name), type: DONT_REPLY, count: MINOR_VERSION, p1: cid, p2: cid })

export const clientNameMessage = (name: string): Buffer => message(Command.CLIENT_NAME, { payload: text(name) })
export const hostNameMessage = (name: string): Buffer => message(Command.HOST_NAME, { payload: text(name) })

export const createMessage = (name: string, cid: number): Buffer =>
  message(Command.CREATE_CHAN, { payload: text(name), p1: cid, p2: MINOR_VERSION })

export const clearMessage = (sid: number, cid: number): Buffer => message(Command.CLEAR_CHANNEL, { p1: sid, p2: cid })

export const echoMessage = (): Buffer => message(Command.ECHO)

/** One read of `type` (with metadata: DBR_CTRL), answered with `ioid`. */
export const readMessage = (type: number, count: number, sid: number, ioid: number): Buffer =>
  message(Command.READ_NOTIFY, { type, count, p1: sid, p2: ioid })

/** Count 0 asks for the current length of arrays, where the server knows that (LENGTH_VERSION). */
export function subscribeMessage(type: number, count: number, sid: number, subscription: number, mask: number): Buffer {
  const payload = Buffer.alloc(16)
  payload.writeUInt16BE(mask, 12)
  return message(Command.EVENT_ADD, { payload, type, count, p1: sid, p2: subscription })
}

/** Answer of a repeater to a registration. */
export const confirmMessage = (): Buffer => message(Command.REPEATER_CONFIRM, { p2: 0x7f000001 })

export const repeaterRegisterMessage = (): Buffer => message(Command.REPEATER_REGISTER, { p2: 0x7f000001 })

/** The address in a search answer; 0 and all ones stand for where the answer came from. */
export function hostOf(address: number, sender: string): string {
  if (address === 0xffffffff || address === 0) return sender
  return [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255].join('.')
}
