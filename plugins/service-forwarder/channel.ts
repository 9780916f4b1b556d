// One channel: one subscription, the routes of all streams on it, and the alarm and connection messages beside them.
import { type Context, type ServiceContext, type Subscription } from '../../core/api/plugin.js'
import { Clock, type ClockVerdict, type Older } from './clock.js'
import { type Converters } from './converters.js'
import { type Outlet } from './outlet.js'
import { ChannelLatency } from './latency.js'
import { Route } from './route.js'
import { type Spec } from './spec.js'
import { Connection, connectionName, isVector, nowNs, type SourcePart, type Update } from '../../schemas/index.js'

/** What the channels of one forwarder share. */
export interface ChannelContext {
  readonly context: ServiceContext
  readonly converters: Converters
  readonly outlet: Outlet
  readonly maxAheadNs: bigint
  readonly older: Older
  readonly dropNeverProcessed: boolean
  /** Sums over all channels, also those that are gone. */
  readonly totals: ChannelCounts
}

export interface ChannelCounts {
  updates: number
  disconnects: number
  /** First values older than 10 minutes: sent. */
  first_old: number
  /** Values of records that were never processed: sent with the time of arrival, or dropped. */
  never_processed: number
  /** Older than the value before, and sent. */
  went_back: number
  /** Refused: older than the value before. */
  older: number
  /** Refused: too far ahead of our clock. */
  ahead: number
}

export const noChannelCounts = (): ChannelCounts => ({
  updates: 0,
  disconnects: 0,
  first_old: 0,
  never_processed: 0,
  went_back: 0,
  older: 0,
  ahead: 0
})

interface Entry {
  spec: Spec
  readonly route: Route
}

export class Channel {
  readonly entries = new Map<string, Entry>()
  readonly counts = noChannelCounts()
  readonly latency = new ChannelLatency()
  connection: number = Connection.UNKNOWN
  lastUpdateMs = 0
  readonly #clock: Clock
  readonly #abort = new AbortController()
  /** Routes in an array of their own: the hot path loops over it. */
  #routes: Route[] = []
  #alarms = new Map<string, Route>()
  #connections = new Map<string, Route>()
  #subscription: Subscription | undefined
  #last: Update | undefined
  /** Of the last value, which itself is out of the cache when the next one comes. */
  #giveBack: Update['giveBack']
  #lastConnection: Update | undefined

  constructor(
    readonly protocol: string,
    readonly name: string,
    readonly shared: ChannelContext
  ) {
    this.#clock = new Clock(shared.maxAheadNs, shared.older)
  }

  get state(): string {
    return connectionName(this.connection)
  }

  /** The last value that was let through. */
  get last(): Update | undefined {
    return this.#last
  }

  open(source: SourcePart, options: Readonly<Record<string, unknown>>): void {
    const { context } = this.shared
    const own: Context = {
      jobId: context.serviceId,
      signal: this.#abort.signal,
      log: (level, message, fields) => context.log(level, message, { channel: this.name, ...fields }),
      count: () => undefined
    }
    this.#subscription = source.open({ ...options, channel: this.name }, own, this.#take)
  }

  /** Ends the subscription. Routes that are still there keep what waits for Kafka: the outlet sends it when it closes. */
  async close(): Promise<void> {
    this.#abort.abort()
    await this.#subscription?.close()
  }

  /** Adds a route; it starts with the channel's present state and value. Throws what the converter throws. */
  add(spec: Spec): void {
    const skipped = new Map<string, number>()
    const converter = this.shared.converters.take(spec, skipped)
    const route = new Route(spec, converter, this.shared.outlet, this.shared.context, skipped)
    this.entries.set(spec.id, { spec, route })
    this.#arrange()
    if (this.#lastConnection !== undefined) route.deliver(this.#lastConnection)
    if (this.#last !== undefined) route.deliver({ ...this.#last, first: true })
  }

  /** Takes over new settings without a gap. */
  change(spec: Spec): void {
    const entry = this.entries.get(spec.id)
    if (entry === undefined) return
    entry.spec = spec
    entry.route.periodicMs = spec.periodicMs
    entry.route.lossless = spec.lossless
    entry.route.lastSentMs = Date.now()
    this.#arrange()
  }

  remove(id: string): void {
    const entry = this.entries.get(id)
    if (entry === undefined) return
    this.entries.delete(id)
    this.shared.converters.release(entry.spec)
    this.shared.outlet.forget(entry.route)
    this.#arrange()
  }

  /** Whether a value of it may have to be sent again. */
  get isPeriodic(): boolean {
    return this.#routes.some(({ periodicMs }) => periodicMs > 0)
  }

  /** Sends values again whose period is over; only while the channel is connected, so that nothing stale looks alive. */
  repeat(nowMs: number): void {
    if (this.#last === undefined || this.connection !== Connection.CONNECTED) return
    for (const route of this.#routes) route.repeat(this.#last, nowMs)
  }

  /** Never throws into the source. */
  readonly #take = (update: Update): void => {
    try {
      if (typeof update.timestampNs !== 'bigint' || typeof update.alarm?.severity !== 'number')
        throw new TypeError('gave an update without a time or an alarm')
      if (update.kind === 'connection') return this.#takeConnection(update)
      this.counts.updates++
      this.shared.totals.updates++
      this.lastUpdateMs = Date.now()
      const verdict = this.#clock.judge(update)
      if (verdict !== 'good') this.#doubt(verdict, update)
      else if (this.shared.outlet.latencies.measured) this.#measured(update)
      else this.#forward(update)
    } catch (error) {
      this.shared.context.fault('source', this.protocol, 'update', error)
    }
  }

  #doubt(verdict: Exclude<ClockVerdict, 'good'>, update: Update): void {
    this.#count(verdict)
    if (verdict === 'first_old') this.#forward(update)
    else if (verdict === 'went_back') {
      this.#warn(verdict, update)
      this.#forward(update)
    } else if (verdict === 'never_processed') {
      if (!this.shared.dropNeverProcessed) this.#forward({ ...update, timestampNs: nowNs() })
    } else this.#warn(verdict, update)
  }

  #measured(update: Update): void {
    const begin = performance.now()
    this.latency.receive.add(this.lastUpdateMs - Number(update.timestampNs) / 1e6)
    this.#forward(update)
    this.latency.processing.add(performance.now() - begin)
  }

  #count(what: keyof ChannelCounts): void {
    this.counts[what]++
    this.shared.totals[what]++
  }

  #forward(update: Update): void {
    const before = this.#last
    const giveBack = this.#giveBack
    this.#last = owned(update)
    this.#giveBack = this.#last.giveBack
    const routes = this.#routes
    for (let i = 0; i < routes.length; i++) routes[i]!.deliver(update)
    if (this.#alarms.size > 0 && (update.first || before === undefined || alarmDiffers(before, update)))
      for (const route of this.#alarms.values()) route.deliver(update)
    giveBack?.() // No route waits with the one before: the new one has taken its place
  }

  #takeConnection(update: Update): void {
    if (this.connection === Connection.CONNECTED && update.connection !== Connection.CONNECTED)
      this.#count('disconnects')
    this.connection = update.connection
    this.#lastConnection = update
    for (const route of this.#routes) route.deliver(update)
    for (const route of this.#connections.values()) route.deliver(update)
  }

  /** Brings the routes and what goes beside them in line with the entries. */
  #arrange(): void {
    const entries = [...this.entries.values()]
    this.#routes = entries.map(({ route }) => route)
    const own = new Set(entries.map(({ spec }) => besideKey(spec.schema, spec)))
    const alarms = new Map<string, Spec>()
    const connections = new Map<string, Spec>()
    for (const { spec } of entries) {
      const alarmKey = besideKey(spec.alarm, spec)
      if (spec.alarm !== 'none' && !own.has(alarmKey)) alarms.set(alarmKey, spec)
      const connectionKey = besideKey(spec.connection, spec)
      if (spec.connection !== 'none' && !own.has(connectionKey)) connections.set(connectionKey, spec)
    }
    this.#alarms = this.#beside(this.#alarms, alarms, 'alarm')
    this.#connections = this.#beside(this.#connections, connections, 'connection')
  }

  #beside(present: Map<string, Route>, wanted: Map<string, Spec>, what: 'alarm' | 'connection'): Map<string, Route> {
    for (const [key, route] of present) if (!wanted.has(key)) this.shared.outlet.forget(route)
    const routes = new Map<string, Route>()
    for (const [key, spec] of wanted) {
      const route = present.get(key) ?? this.#openBeside(spec, spec[what])
      if (route === undefined) continue
      routes.set(key, route)
      if (present.has(key)) continue
      const state = what === 'connection' ? this.#lastConnection : this.#last
      if (state !== undefined) route.deliver(what === 'connection' ? state : { ...state, first: true })
    }
    return routes
  }

  #openBeside(spec: Spec, schema: string): Route | undefined {
    const { context, converters, outlet } = this.shared
    if (context.converter(schema) === undefined) return undefined
    const converter = converters.take({ schema, converterOptions: {}, name: undefined })
    // Few and telling: kept while Kafka is away
    const options = { schema, topic: spec.topic, sourceName: spec.sourceName, periodicMs: 0, lossless: true }
    return new Route(options, converter, outlet, context)
  }

  /** Once per channel and kind. */
  #warn(verdict: 'went_back' | 'older' | 'ahead', update: Update): void {
    if (this.counts[verdict] > 1) return
    const what = verdict === 'ahead' ? 'lies too far ahead of our clock' : 'is older than the one before'
    const then = verdict === 'went_back' ? 'sent' : 'refused'
    const text = `channel ${this.name}: the time of a value ${what}; such values are ${then} and counted`
    this.shared.context.log('warn', text, { channel: this.name, value_time: String(update.timestampNs) })
  }
}

const besideKey = (schema: string, spec: Spec): string => `${schema} ${spec.topic} ${spec.sourceName}`

function alarmDiffers(a: Update, b: Update): boolean {
  const { alarm: x } = a
  const { alarm: y } = b
  return x !== y && (x.severity !== y.severity || x.status !== y.status || x.message !== y.message)
}

/** A small vector may hold a whole network buffer alive: copied before it is kept. */
function owned(update: Update): Update {
  const { value } = update
  if (!isVector(value)) return update
  const { bytes } = value
  if (bytes.buffer.byteLength <= 2 * bytes.byteLength + 64) return update
  return { ...update, value: { ...value, bytes: new Uint8Array(bytes) } }
}
