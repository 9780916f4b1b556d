// A real EPICS server as a process on ports of its own, told what to do by JSON lines.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Readable, type Writable } from 'node:stream'
import { freePorts } from '../fetched/ports.js'

/** What a server is started with. */
export interface IocPlace {
  /** Address to serve on; default 127.0.0.1. */
  readonly address?: string
  /** Broadcast address that clients should search, when not `address`. */
  readonly searchAddress?: string
  /** Words before the command, e.g. `['ip', 'netns', 'exec', 'x']`. */
  readonly wrap?: readonly string[]
  /** More environment for the server. */
  readonly env?: Readonly<Record<string, string>>
  /** For its files, and goes with it; default one of its own. */
  readonly folder?: string
  /** Program and arguments; `folder` is for its files. */
  readonly command: (folder: string, address: string) => Promise<string[]>
}

export type PutValue =
  number | bigint | string | boolean | readonly number[] | readonly bigint[] | readonly boolean[] | readonly string[]

export interface Ioc {
  /** EPICS_* variables with which a client finds this server and nothing else. */
  readonly env: Readonly<Record<string, string>>
  /** `host:port` for UDP searches, which is also the TCP address (CA only). */
  readonly caAddress: string
  /** `host:port` for pvAccess UDP searches. */
  readonly pvaAddress: string
  /** TCP `host:port` of the pvAccess server (for name-server searches). */
  readonly pvaServer: string
  readonly pid: number
  /** Puts into a record or channel and waits until the server has done it. Long strings: name ending in `$`. */
  put(name: string, value: PutValue, more?: Readonly<Record<string, unknown>>): Promise<void>
  /** Value of a record field as text, with the digits of its PREC (IOC kinds). */
  get(name: string): Promise<string>
  /** Value of a record field as integer: for a counting record, how often it was processed (IOC kinds). */
  count(name: string): Promise<number>
  /** Puts 1…n into every name at `hz` (0: flat out); resolves with the count of puts when done. */
  ramp(names: readonly string[], n: number, hz: number, start?: number): Promise<number>
  /** Any iocsh command (IOC kinds). */
  iocsh(command: string): Promise<void>
  /** Any operation of the server script. */
  call(op: string, args: Readonly<Record<string, unknown>>): Promise<unknown>
  /** SIGSTOP: the server is there but says nothing. */
  freeze(): void
  thaw(): void
  /** SIGKILL; resolves when it is gone. */
  kill9(): Promise<void>
  /** Ends it when it runs, and starts it again on the same ports. */
  restart(): Promise<void>
  stop(): Promise<void>
}

interface Ports {
  readonly ca: number
  readonly repeater: number
  readonly pva: number
  readonly pvaSearch: number
}

/** Starts a server and resolves when it says that it is ready (clients can search for it at once). */
export async function startServer(place: IocPlace): Promise<Ioc> {
  const folder = place.folder ?? (await mkdtemp(join(tmpdir(), 'nexstream-ioc-')))
  await mkdir(folder, { recursive: true })
  const ioc = new Server(place, await fourPorts(), folder)
  try {
    await ioc.start()
  } catch (error) {
    await ioc.stop()
    throw error
  }
  return ioc
}

/** The variables with which one client finds several servers. */
export function joinEnv(iocs: readonly Ioc[]): Record<string, string> {
  return {
    EPICS_CA_ADDR_LIST: iocs.map((ioc) => ioc.caAddress).join(' '),
    EPICS_CA_AUTO_ADDR_LIST: 'NO',
    EPICS_PVA_ADDR_LIST: iocs.map((ioc) => ioc.pvaAddress).join(' '),
    EPICS_PVA_AUTO_ADDR_LIST: 'NO'
  }
}

class Server implements Ioc {
  readonly env: Readonly<Record<string, string>>
  readonly caAddress: string
  readonly pvaAddress: string
  readonly pvaServer: string
  readonly #options: IocPlace
  readonly #ports: Ports
  readonly #folder: string
  readonly #address: string
  readonly #pending = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>()
  #child: ChildProcess | undefined
  #exited: Promise<void> = Promise.resolve()
  #stderr = ''
  #nextId = 1

  constructor(options: IocPlace, ports: Ports, folder: string) {
    this.#options = options
    this.#ports = ports
    this.#folder = folder
    this.#address = options.address ?? '127.0.0.1'
    const search = options.searchAddress ?? this.#address
    this.caAddress = `${search}:${ports.ca}`
    this.pvaAddress = `${search}:${ports.pvaSearch}`
    this.pvaServer = `${this.#address}:${ports.pva}`
    this.env = {
      ...joinEnv([this]),
      EPICS_CA_SERVER_PORT: String(ports.ca),
      EPICS_CA_REPEATER_PORT: String(ports.repeater),
      EPICS_PVA_SERVER_PORT: String(ports.pva),
      EPICS_PVA_BROADCAST_PORT: String(ports.pvaSearch)
    }
  }

  get pid(): number {
    return this.#child?.pid ?? -1
  }

  async start(): Promise<void> {
    const { command: words, wrap = [] } = this.#options
    const [command = '', ...args] = [...wrap, ...(await words(this.#folder, this.#address))]
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      detached: true, // Ctrl-C is for the owner; the server ends with its stdin
      env: { ...process.env, ...this.#serverEnv(), ...this.#options.env }
    })
    this.#child = child
    this.#stderr = ''
    const note = (chunk: Buffer): void => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-4000)
    }
    child.stdout?.on('data', note)
    child.stderr?.on('data', note)
    // Writing to a server that was killed is told by the reply that never comes.
    child.stdin?.on('error', () => undefined)
    this.#exited = new Promise((resolve) => {
      child.once('error', (error) => note(Buffer.from(String(error))))
      child.once('close', () => {
        this.#lost(`the EPICS server ended: ${this.#stderr}`)
        resolve()
      })
    })
    const ready = this.#expect(0)
    createInterface({ input: child.stdio[3] as Readable }).on('line', (line) => this.#onReply(line))
    await ready
  }

  put(name: string, value: PutValue, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    return this.call('put', { name, value, ...more }).then(() => undefined)
  }

  get(name: string): Promise<string> {
    return this.call('get', { name }).then(String)
  }

  count(name: string): Promise<number> {
    return this.call('count', { name }).then(Number)
  }

  ramp(names: readonly string[], n: number, hz: number, start = 1): Promise<number> {
    return this.call('ramp', { names, n, hz, start }).then(Number)
  }

  async iocsh(command: string): Promise<void> {
    const status = await this.call('iocsh', { command })
    if (status !== 0) throw new Error(`iocsh: ${command}: status ${String(status)}: ${this.#stderr.slice(-500)}`)
  }

  call(op: string, args: Readonly<Record<string, unknown>>): Promise<unknown> {
    const id = this.#nextId++
    const result = this.#expect(id)
    ;(this.#child?.stdin as Writable).write(`${toJson({ id, op, args })}\n`)
    return result
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child?.kill('SIGCONT')
  }

  async kill9(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#exited
  }

  async restart(): Promise<void> {
    await this.#end()
    await this.start()
  }

  async stop(): Promise<void> {
    await this.#end()
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #end(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return this.#exited
    child.kill('SIGCONT')
    child.stdin?.end()
    const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
    await this.#exited
    clearTimeout(timer)
  }

  #expect(id: number): Promise<unknown> {
    return new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }))
  }

  #onReply(line: string): void {
    const reply = JSON.parse(line) as { id?: number; result?: unknown; error?: string }
    const waiting = this.#pending.get(reply.id ?? 0)
    this.#pending.delete(reply.id ?? 0)
    if (reply.error === undefined) waiting?.resolve(reply.result)
    else waiting?.reject(new Error(reply.error))
  }

  #lost(why: string): void {
    for (const waiting of this.#pending.values()) waiting.reject(new Error(why))
    this.#pending.clear()
  }

  #serverEnv(): Record<string, string> {
    const { ca, repeater, pva, pvaSearch } = this.#ports
    const beacons = this.#options.searchAddress ?? this.#address
    return {
      EPICS_CA_SERVER_PORT: String(ca),
      EPICS_CAS_SERVER_PORT: String(ca),
      EPICS_CA_REPEATER_PORT: String(repeater),
      EPICS_CAS_BEACON_PORT: String(repeater),
      EPICS_CAS_INTF_ADDR_LIST: this.#address,
      EPICS_CAS_AUTO_BEACON_ADDR_LIST: 'NO',
      EPICS_CAS_BEACON_ADDR_LIST: beacons,
      EPICS_CA_ADDR_LIST: beacons,
      EPICS_CA_AUTO_ADDR_LIST: 'NO',
      EPICS_CA_MAX_ARRAY_BYTES: '100000000',
      EPICS_PVAS_SERVER_PORT: String(pva),
      EPICS_PVA_SERVER_PORT: String(pva),
      EPICS_PVA_BROADCAST_PORT: String(pvaSearch),
      EPICS_PVAS_BROADCAST_PORT: String(pvaSearch),
      EPICS_PVAS_INTF_ADDR_LIST: this.#address,
      EPICS_PVAS_AUTO_BEACON_ADDR_LIST: 'NO',
      EPICS_PVAS_BEACON_ADDR_LIST: beacons,
      EPICS_PVA_ADDR_LIST: beacons,
      EPICS_PVA_AUTO_ADDR_LIST: 'NO',
      // With the rights of root an IOC takes real-time priorities, and on a full machine everything else stands still.
      EPICS_ALLOW_POSIX_THREAD_PRIORITY_SCHEDULING: 'NO',
      PYTHONUNBUFFERED: '1'
    }
  }
}

/** JSON as Python reads it: bigints are numbers of all their digits, NaN and infinities are there. */
function toJson(value: unknown): string {
  const isPlain = (one: unknown): boolean =>
    typeof one !== 'bigint' && (typeof one !== 'number' || Number.isFinite(one))
  const mark = (_: string, one: unknown): unknown => (isPlain(one) ? one : `\u0001${String(one)}`)
  return JSON.stringify(value, mark).replace(/"\\u0001(-?\w+)"/g, '$1')
}

async function fourPorts(): Promise<Ports> {
  const [ca = 0, repeater = 0, pva = 0, pvaSearch = 0] = await freePorts(4)
  return { ca, repeater, pva, pvaSearch }
}
