// What node:dgram cannot: many packets by one call of the system (recvmmsg), through the optional package koffi.
import { lookup } from 'node:dns/promises'
import { isIPv6 } from 'node:net'
import { endianness } from 'node:os'
import { getSystemErrorName } from 'node:util'
import type * as koffi from 'koffi'

/** The structures are as these have them: 64 bits, little endian. */
const MACHINES = ['x64', 'arm64', 'riscv64', 'loong64']

// The numbers of Linux on these machines
const AF_INET = 2
const AF_INET6 = 10
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2000000
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const POLLIN = 1
const MSG_TRUNC = 0x20
const MSG_DONTWAIT = 0x40
const EINTR = 4
const EAGAIN = 11

const MSGHDR = 64
const IOVEC = 16
const LENGTH_AT = 56
/** Room for the address of a sender, of IPv6, too. */
const NAME = 32
const NAME_LENGTH = 28
/** What stands before an address of IPv4 that is written as one of IPv6, the last four bytes. */
const MAPPED = 0xffff0000

type Call = (...values: (number | string | Uint8Array | Int32Array)[]) => number

/** PacketPlaces for packets, one behind the other in the order in which they are to be filled; made once. */
export class PacketPlaces {
  readonly #lengths: Uint32Array
  readonly #names: DataView
  readonly #base: number
  /** Their addresses are in use while this is. */
  readonly kept: readonly ArrayBufferView[]

  /** @param memory - of 64 bytes and more: smaller ones may move @param offsets - in it */
  constructor(addressOf: (view: Uint8Array) => number, memory: Uint8Array, offsets: readonly number[], size: number) {
    const headers = new Uint8Array(offsets.length * MSGHDR)
    const vectors = new Uint8Array(offsets.length * IOVEC)
    const [header, vector] = [new DataView(headers.buffer), new DataView(vectors.buffer)]
    const names = new Uint8Array(offsets.length * NAME)
    const [memoryAt, vectorsAt, namesAt] = [addressOf(memory), addressOf(vectors), addressOf(names)]
    for (const [n, offset] of offsets.entries()) {
      vector.setBigUint64(n * IOVEC, BigInt(memoryAt + offset), true)
      vector.setBigUint64(n * IOVEC + 8, BigInt(size), true)
      header.setBigUint64(n * MSGHDR, BigInt(namesAt + n * NAME), true)
      // What the kernel makes of it is the length for all of one socket
      header.setUint32(n * MSGHDR + 8, NAME_LENGTH, true)
      header.setBigUint64(n * MSGHDR + 16, BigInt(vectorsAt + n * IOVEC), true)
      header.setBigUint64(n * MSGHDR + 24, 1n, true)
    }
    this.#lengths = new Uint32Array(headers.buffer)
    this.#names = new DataView(names.buffer)
    this.#base = addressOf(headers)
    this.kept = [memory, headers, vectors, names]
  }

  addressOf(n: number): number {
    return this.#base + n * MSGHDR
  }

  /** Bytes of the packet that came there; more than it holds when it was too long. */
  length(n: number): number {
    return this.#lengths[(n * MSGHDR + LENGTH_AT) >> 2]!
  }

  /** IPv4 address of who sent it; 0 for another. */
  sender(n: number): number {
    const at = n * NAME
    if (this.#names.getUint16(at, true) === AF_INET) return this.#names.getUint32(at + 4)
    return this.#names.getUint32(at + 16, true) === MAPPED ? this.#names.getUint32(at + 20) : 0
  }
}

export class SystemCalls {
  readonly #library: typeof koffi
  readonly #recvmmsg: Call
  readonly #poll: Call
  readonly #polled = new Int32Array(16)

  private constructor(library: typeof koffi) {
    this.#library = library
    const system = library.load(null)
    this.#recvmmsg = system.func('int recvmmsg(int fd, uintptr_t messages, uint32_t most, int flags, uintptr_t timeout)') as Call // prettier-ignore
    this.#poll = system.func('int poll(void *fds, unsigned long count, int timeout)') as Call
  }

  /** Why they cannot be made here, in place of them. */
  static async open(): Promise<SystemCalls | string> {
    if (process.platform !== 'linux' || endianness() !== 'LE' || !MACHINES.includes(process.arch))
      return `not on ${process.platform} ${process.arch}`
    try {
      return new SystemCalls((await import('koffi')).default as unknown as typeof koffi)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      return code === 'ERR_MODULE_NOT_FOUND' ? 'the package koffi is not installed' : `koffi: ${message}`
    }
  }

  /** A socket that is bound. @param host - address or name; one of IPv6 may have a zone */
  async bind(host: string, port: number, isShared: boolean): Promise<number> {
    const system = this.#library.load(null)
    const socket = system.func('int socket(int domain, int type, int protocol)') as Call
    const bind = system.func('int bind(int fd, void *address, uint32_t length)') as Call
    const setOption = system.func('int setsockopt(int fd, int level, int name, void *value, uint32_t length)') as Call // prettier-ignore
    const close = system.func('int close(int fd)') as Call
    const address = await this.#address(host, port)
    const fd = this.#good('socket', socket(address.length === 16 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0))
    try {
      if (isShared) this.#good('setsockopt', setOption(fd, SOL_SOCKET, SO_REUSEADDR, Int32Array.of(1), 4))
      this.#good('bind', bind(fd, address, address.length))
      return fd
    } catch (error) {
      close(fd)
      throw error
    }
  }

  /** Fills up to `most` places from the first on, and waits for none; how many it filled. */
  receive(fd: number, places: PacketPlaces, first: number, most: number): number {
    const count = this.#recvmmsg(fd, places.addressOf(first), most, MSG_TRUNC | MSG_DONTWAIT, 0)
    return count >= 0 ? count : this.#passing('recvmmsg')
  }

  /** Returns when a packet waits, or after that time; this thread does nothing else meanwhile. */
  wait(fd: number, timeoutMs: number): void {
    this.#polled[0] = fd
    this.#polled[1] = POLLIN
    if (this.#poll(this.#polled, 1, timeoutMs) < 0) this.#passing('poll')
  }

  places(memory: Uint8Array, offsets: readonly number[], size: number): PacketPlaces {
    return new PacketPlaces((view) => Number(this.#library.address(view)), memory, offsets, size)
  }

  #passing(call: string): 0 {
    const errno = this.#library.errno()
    if (errno === EAGAIN || errno === EINTR) return 0
    throw new Error(`${call} ${getSystemErrorName(-errno)}`)
  }

  #good(call: string, result: number): number {
    if (result < 0) throw new Error(`${call} ${getSystemErrorName(-this.#library.errno())}`)
    return result
  }

  async #address(host: string, port: number): Promise<Uint8Array> {
    const isSix = isIPv6(host)
    const system = this.#library.load(null)
    const pton = system.func('int inet_pton(int family, const char *text, void *address)') as Call
    const { address } = await lookup(host, { family: isSix ? 6 : 4 })
    const [plain = '', zone] = address.split('%')
    const bytes = new Uint8Array(isSix ? 28 : 16)
    const view = new DataView(bytes.buffer)
    view.setUint16(0, isSix ? AF_INET6 : AF_INET, true)
    view.setUint16(2, port)
    if (pton(isSix ? AF_INET6 : AF_INET, plain, bytes.subarray(isSix ? 8 : 4)) !== 1) throw new Error(`${address} is no address`) // prettier-ignore
    if (zone !== undefined) {
      const index = system.func('uint32_t if_nametoindex(const char *name)') as Call
      view.setUint32(24, index(zone) || Number(zone) || 0, true)
    }
    return bytes
  }
}
