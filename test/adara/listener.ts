// A client that behaves as Mantid's listener of SNS streams: stops reading when a run begins or ends until its next extraction, and forgets all then.
import { connect, type Socket } from 'node:net'
import { PATIENCE_MS } from '../support/patience.js'

const HEADER = 16

export interface Extracted {
  readonly run: number
  readonly events: readonly [pixel: number, tof: number][]
  readonly pulses: readonly { readonly time: bigint; readonly charge: number; readonly cycle: number }[]
  readonly monitors: ReadonlyMap<number, readonly number[]>
  readonly values: readonly [name: string, value: number | string, time: bigint, severity: number][]
}

export class FakeMantid {
  geometry = ''
  instrument = ''
  status = -1
  run = 0
  heartbeats = 0
  closed = false
  /** What it could not have made sense of. */
  readonly troubles: string[] = []
  readonly statuses: number[] = []
  #paused = false
  /** It does not read until the next extraction. */
  #stopped = false
  #held = Buffer.alloc(0)
  #names = new Map<number, string>()
  #events: [number, number][] = []
  #pulses: { time: bigint; charge: number; cycle: number }[] = []
  #monitors = new Map<number, number[]>()
  #values: [string, number | string, bigint, number][] = []
  readonly #waiting = new Set<() => void>()

  private constructor(readonly socket: Socket) {
    socket.on('data', (bytes) => {
      this.#held = Buffer.concat([this.#held, bytes])
      this.#read()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.closed = true
      this.#wake()
    })
  }

  static async join(port: number, hello = true): Promise<FakeMantid> {
    const socket = connect(port, '127.0.0.1')
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    const listener = new FakeMantid(socket)
    const bytes = Buffer.alloc(20)
    bytes.writeUInt32LE(4, 0)
    bytes.writeUInt32LE(0x400600, 4)
    if (hello) socket.write(bytes)
    return listener
  }

  get stopped(): boolean {
    return this.#stopped
  }

  /** It would begin to take events. */
  get ready(): boolean {
    return this.geometry !== '' && this.instrument !== '' && this.status >= 0
  }

  get seen(): Extracted {
    return { run: this.run, events: this.#events, pulses: this.#pulses, monitors: this.#monitors, values: this.#values }
  }

  /** What came since the last one. After a transition all is forgotten, then it reads on. */
  extract(): Extracted {
    const { seen } = this
    this.#events = []
    this.#pulses = []
    this.#monitors = new Map()
    this.#values = []
    if (this.#stopped) {
      this.geometry = this.instrument = ''
      this.#names = new Map()
      this.#stopped = false
      this.socket.resume()
      this.#read()
    }
    return seen
  }

  async until(isThere: () => boolean, what: string): Promise<void> {
    const end = performance.now() + PATIENCE_MS
    while (!isThere()) {
      if (performance.now() > end) throw new Error(`no ${what}; ${JSON.stringify({ ...this.seen, troubles: this.troubles }, (_, v: unknown) => (typeof v === 'bigint' ? String(v) : v))}`) // prettier-ignore
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer)
          this.#waiting.delete(wake)
          resolve()
        }
        const timer = setTimeout(wake, 1000)
        this.#waiting.add(wake)
      })
    }
  }

  leave(): void {
    this.socket.destroy()
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake()
  }

  #read(): void {
    while (!this.#stopped && this.#held.length >= HEADER) {
      const length = this.#held.readUInt32LE(0)
      if (length % 4 !== 0) this.troubles.push(`a length of ${length}`)
      if (this.#held.length < HEADER + length) break
      const time = (BigInt(this.#held.readUInt32LE(8)) + 631_152_000n) * 1_000_000_000n + BigInt(this.#held.readUInt32LE(12)) // prettier-ignore
      const payload = this.#held.subarray(HEADER, HEADER + length)
      this.#take(this.#held.readUInt32LE(4), time, payload)
      this.#held = this.#held.subarray(HEADER + length)
    }
    this.#wake()
  }

  #take(format: number, time: bigint, payload: Buffer): void {
    const word = (i: number): number => payload.readUInt32LE(4 * i)
    const text = (i: number): string => payload.toString('utf8', 4 * i + 4, 4 * i + 4 + word(i))
    const short = [(word0: number) => (word0 >>> 16) & 255, (w: number) => (w >>> 8) & 255, (w: number) => w & 255]
    switch (format) {
      case 0x400b01: {
        const [id = 0, brief = 0, long = 0] = short.map((of) => of(word(0)))
        this.instrument = payload.toString('utf8', 4 + id + brief, 4 + id + brief + long)
        return
      }
      case 0x400a00:
        this.geometry = text(0)
        return
      case 0x400300:
        this.status = word(2) >>> 24
        this.statuses.push(this.status)
        this.run = word(0)
        if (this.status === 1 || this.status === 4) {
          this.#stopped = true
          this.socket.pause()
        }
        return
      case 0x800000:
        this.#names.set(word(0), /<pv_name>(.*?)<\/pv_name>/.exec(text(1))?.[1] ?? '')
        return
      case 0x800200:
        return this.#value(word(0), payload.readDoubleLE(12), time, word(2) & 0xffff)
      case 0x800300:
        return this.#value(word(0), text(3), time, word(2) & 0xffff)
      case 0x400001:
        return this.#pulse(time, payload)
      case 0x400101:
        return this.#monitor(payload)
      case 0x400700:
        if (word(0) >>> 16 === 3) this.#paused = true
        if (word(0) >>> 16 === 4) this.#paused = false
        return
      case 0x400900:
        this.heartbeats++
        return
      case 0x400400:
        return
      default:
        this.troubles.push(`format 0x${format.toString(16)}`)
    }
  }

  #value(device: number, value: number | string, time: bigint, severity: number): void {
    const name = this.#names.get(device)
    if (name === undefined) this.troubles.push(`a value of device ${device} before its description`)
    else this.#values.push([name, value, time, severity])
  }

  #pulse(time: bigint, payload: Buffer): void {
    if (!this.ready) this.troubles.push('events before geometry, beamline and run status')
    if (this.#paused) return
    this.#pulses.push({ time, charge: payload.readUInt32LE(0) * 10, cycle: payload.readUInt32LE(8) })
    let at = 16
    while (at < payload.length) {
      const banks = payload.readUInt32LE(at + 12)
      at += 16
      for (let i = 0; i < banks; i++) {
        const n = payload.readUInt32LE(at + 4)
        at += 8
        for (let k = 0; k < n; k++, at += 8) this.#events.push([payload.readUInt32LE(at + 4), payload.readUInt32LE(at)])
      }
    }
  }

  #monitor(payload: Buffer): void {
    let at = 16
    while (at < payload.length) {
      const head = payload.readUInt32LE(at)
      const list = this.#monitors.get(head >>> 22) ?? []
      this.#monitors.set(head >>> 22, list)
      at += 12
      for (let i = 0; i < (head & 0x3fffff); i++, at += 4) list.push(payload.readUInt32LE(at) & 0x1fffff)
    }
  }
}
