// What a client has to know to understand what comes: beamline, geometry, run, variables and their values.
import {
  annotationPacket,
  annotations,
  type Beamline,
  beamlinePacket,
  devicePacket,
  disconnected,
  emptyPacket,
  formats,
  runStatus,
  runStatusPacket,
  SharedText,
  textPacket,
  valuePacket,
  xml
} from '../wire/packets.js'

/** Devices of ours count from here, as the protocol has it. */
const FIRST_DEVICE = 8192
/** Each device has one variable. */
const VARIABLE = 1

export interface AdaraRun {
  readonly number: number
  readonly startNs: bigint
  readonly title: string
}

interface LiveVariable {
  readonly device: number
  readonly name: string
  readonly type: 'double' | 'string'
  value: { timeNs: bigint; content: number | string; status: number; severity: number }
}

export interface LiveReading {
  readonly source: string
  readonly timeNs: bigint
  readonly content: number | string
  /** EPICS numbers; undefined: as before. */
  readonly alarm?: { readonly status: number; readonly severity: number } | undefined
}

export class LiveState {
  run: AdaraRun | undefined
  /** What a pause says. */
  paused: string | undefined
  readonly #variables = new Map<string, LiveVariable>()

  readonly #beamline: Beamline
  readonly #geometry: SharedText
  readonly #now: () => bigint
  readonly #mostVariables: number

  /**
   * @param geometry - Mantid IDF as XML
   * @param now - ns since 1970
   * @param mostVariables - whoever names new ones without end must not fill the memory
   */
  constructor(beamline: Beamline, geometry: string, now: () => bigint, mostVariables = 10_000) {
    this.#mostVariables = mostVariables
    this.#beamline = beamline
    this.#geometry = new SharedText(formats.geometry, geometry)
    this.#now = now
  }

  get variables(): number {
    return this.#variables.size
  }

  /** Whether its values are taken: it is known, or there is room for a new one. */
  hasRoomFor(source: string): boolean {
    return this.#variables.size < this.#mostVariables || this.#variables.has(source)
  }

  /** For a client that joins. */
  greeting(): Buffer[] {
    const now = this.#now()
    const { run } = this
    const status = run === undefined ? runStatus.none : runStatus.joined
    return [...this.#place(now), this.#status(now, status, run), ...this.#about(now, run), ...this.#values()]
  }

  /** A run begins; one that has not ended does so first. */
  begin(run: AdaraRun): Buffer[] {
    const before = this.run === undefined ? [] : this.end()
    const now = this.#now()
    this.run = run
    this.paused = undefined
    return [...before, this.#status(now, runStatus.begin, run), ...this.#place(now), ...this.#about(now, run), ...this.#values()] // prettier-ignore
  }

  /** Nothing where there is no run. Clients forget all at a transition, so they are told it again. */
  end(): Buffer[] {
    const { run } = this
    if (run === undefined) return []
    const now = this.#now()
    this.run = undefined
    this.paused = undefined
    return [this.#status(now, runStatus.end, run), ...this.#place(now), ...this.#values()]
  }

  annotate(kind: keyof typeof annotations, text: string, scan = 0): Buffer[] {
    if (kind === 'pause') this.paused = text
    if (kind === 'resume') this.paused = undefined
    return [annotationPacket(this.#now(), annotations[kind], text, scan)]
  }

  heartbeat(): Buffer[] {
    return [emptyPacket(formats.heartbeat, this.#now())]
  }

  /** A value; of a new variable, for which there must be room, its description before it. Undefined: the variable is of another type. */
  value({ source, timeNs, content, alarm }: LiveReading): Buffer[] | undefined {
    let variable = this.#variables.get(source)
    const type = typeof content === 'number' ? 'double' : 'string'
    const described: Buffer[] = []
    if (variable === undefined) {
      const value = { timeNs, content, status: 0, severity: 0, ...alarm }
      variable = { device: FIRST_DEVICE + this.#variables.size, name: source, type, value }
      this.#variables.set(source, variable)
      described.push(this.#description(variable))
    } else if (variable.type !== type) return undefined
    else {
      // Who sends values is there again; of the alarm from before nobody knows
      const isBack = alarm === undefined && variable.value.status === disconnected.status
      variable.value = { ...variable.value, timeNs, content, ...(isBack ? { status: 0, severity: 0 } : alarm) }
    }
    return [...described, this.#packet(variable)]
  }

  /** Its last value again with another alarm; nothing for a variable that is not known. */
  alarm(source: string, timeNs: bigint, alarm: { readonly status: number; readonly severity: number }): Buffer[] {
    const variable = this.#variables.get(source)
    if (variable === undefined) return []
    variable.value = { ...variable.value, timeNs, ...alarm }
    return [this.#packet(variable)]
  }

  disconnected(source: string, timeNs: bigint): Buffer[] {
    return this.alarm(source, timeNs, disconnected)
  }

  #place(now: bigint): Buffer[] {
    return [beamlinePacket(now, this.#beamline), ...this.#geometry.packet(now)]
  }

  #status(now: bigint, status: number, run: AdaraRun | undefined): Buffer {
    return runStatusPacket(now, { status, run: run?.number ?? 0, startNs: run?.startNs ?? 0n, file: run === undefined ? 0 : 1 }) // prettier-ignore
  }

  #about(now: bigint, run: AdaraRun | undefined): Buffer[] {
    if (run === undefined) return []
    const text = `<runinfo><run_number>${run.number}</run_number><run_title>${xml(run.title)}</run_title></runinfo>`
    const paused = this.paused === undefined ? [] : [annotationPacket(now, annotations.pause, this.paused)]
    return [textPacket(formats.runInfo, now, text), ...paused]
  }

  #values(): Buffer[] {
    return [...this.#variables.values()].flatMap((variable) => [this.#description(variable), this.#packet(variable)])
  }

  #description({ device, name, type, value }: LiveVariable): Buffer {
    return devicePacket(value.timeNs, device, name, [{ id: VARIABLE, name, type, units: '' }])
  }

  #packet({ device, type, value }: LiveVariable): Buffer {
    const { timeNs, content, status, severity } = value
    return valuePacket(timeNs, type, { device, variable: VARIABLE, value: content, status, severity })
  }
}
