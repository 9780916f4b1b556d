// One route: the updates of a channel through one converter to one topic.
import { BadMessage, type OutMessage, type ServiceContext, errorText } from '../../core/api/plugin.js'
import { kafkaTimeMs, type Update } from '../../schemas/index.js'
import { type UpdateConverter } from './converters.js'
import { noRouteCounts, type RouteCounts } from './counts.js'
import { type Outlet, type RouteSender } from './outlet.js'

export interface RouteOptions {
  readonly schema: string
  readonly topic: string
  readonly sourceName: string
  readonly periodicMs: number
  /** Undefined: events yes, values no. */
  readonly lossless: boolean | undefined
}

/** At most one log line per route and kind of trouble in this time. */
const QUIET_MS = 60_000

export class Route implements RouteSender {
  readonly topic: string
  readonly key: Buffer
  readonly counts = noRouteCounts()
  waiting: Update | undefined
  flying = 0
  kept = 0
  turn = 0
  sendsValues = false
  lastBytes = 0
  lastError = ''
  lastSentMs = 0
  periodicMs: number
  lossless: boolean | undefined
  readonly #sourceName: string
  /** Called with its converter: functions bound for each of thousands of routes cost more. */
  readonly #convert: UpdateConverter['convert']
  readonly #converter: UpdateConverter
  #loggedMs = 0

  constructor(
    readonly options: RouteOptions,
    converter: UpdateConverter,
    readonly outlet: Outlet,
    readonly context: Pick<ServiceContext, 'log' | 'fault'>,
    /** Updates the converter made nothing of, by reason. */
    readonly skipped: ReadonlyMap<string, number> = new Map()
  ) {
    this.topic = options.topic
    this.key = Buffer.from(options.sourceName)
    this.periodicMs = options.periodicMs
    this.lossless = options.lossless
    this.#sourceName = options.sourceName
    this.#convert = converter.convert
    this.#converter = converter
  }

  /** Takes the next update of the channel. */
  deliver(update: Update): void {
    if (update.kind !== 'connection') this.sendsValues = true
    if (this.outlet.takes(this)) this.send(update)
    else if (update.kind === 'connection') this.#keepConnection(update)
    else if (this.lossless ?? update.events !== undefined) {
      this.#keepWaiting()
      this.#keep(update)
    } else if (this.outlet.wait(this, update)) this.#count('superseded')
  }

  send(update: Update): boolean {
    let room = true
    const messages = this.#messages(update)
    // Counted by name: a name in a variable is looked up for each message
    this.counts.messages += messages.length
    this.outlet.totals.messages += messages.length
    for (let i = 0; i < messages.length; i++) {
      const message = messages[i]!
      room = this.outlet.push(this, message.value, message.timestampMs ?? kafkaTimeMs(update))
      message.giveBack?.()
    }
    if (this.periodicMs > 0) this.lastSentMs = Date.now()
    return room
  }

  /** Sends the last value again when nothing newer went out within the period. */
  repeat(last: Update, nowMs: number): void {
    if (this.periodicMs === 0 || nowMs - this.lastSentMs < this.periodicMs) return
    if (!this.outlet.takes(this)) return
    this.#count('repeated')
    this.send({ ...last, first: false, repeat: true })
  }

  readonly delivered = (error: Error | null): void => {
    this.outlet.landed(this)
    if (error === null) {
      this.counts.acknowledged++
      this.outlet.totals.acknowledged++
      return
    }
    this.#count('lost')
    this.#report('error', 'KAFKA_LOST', error)
  }

  lost(): void {
    this.#count('lost')
    const error = new Error('lossless_bytes are used up while Kafka is away or too slow')
    this.#report('error', 'KAFKA_LOST', error)
  }

  #count(what: keyof RouteCounts): void {
    this.counts[what]++
    this.outlet.totals[what]++
  }

  /** True when there was something to keep. */
  #keep(update: Update): boolean {
    const messages = this.#messages(update)
    for (const message of messages) {
      this.#count('messages')
      this.outlet.keep(this, message.value, message.timestampMs ?? kafkaTimeMs(update))
    }
    if (this.periodicMs > 0) this.lastSentMs = Date.now()
    return messages.length > 0
  }

  /** Few and telling; most converters make nothing of it: then it must not take the place of a value. */
  #keepConnection(update: Update): void {
    if (this.#keep(update)) this.outlet.forget(this)
  }

  /** A stream that has become lossless: what waits comes before what is kept from now on, and its memory is given back. */
  #keepWaiting(): void {
    const { waiting } = this
    if (waiting === undefined) return
    this.outlet.forget(this)
    this.#keep(waiting)
  }

  #messages(update: Update): readonly OutMessage[] {
    const named = update.source === this.#sourceName ? update : this.#rename(update)
    try {
      const messages = this.#convert.call(this.#converter, named)
      checkMessages(messages)
      return messages
    } catch (error) {
      this.#count('convert_errors')
      if (error instanceof BadMessage) this.#report('warn', 'MESSAGE_BAD', error)
      else {
        this.lastError = errorText(error)
        this.context.fault('converter', this.options.schema, 'convert', error)
      }
      return []
    }
  }

  #rename(update: Update): Update {
    const { events } = update
    const source = this.#sourceName
    return events === undefined ? { ...update, source } : { ...update, source, events: { ...events, source } }
  }

  #report(level: 'warn' | 'error', code: string, error: Error): void {
    const now = Date.now()
    if (error.message === this.lastError && now - this.#loggedMs < QUIET_MS) return
    this.lastError = error.message
    this.#loggedMs = now
    const { schema, sourceName } = this.options
    this.context.log(level, `${sourceName} as ${schema} to ${this.topic}: ${error.message}`, {
      code,
      source_name: sourceName,
      schema,
      topic: this.topic
    })
  }
}

function checkMessages(messages: readonly Partial<OutMessage>[] | undefined): void {
  if (!Array.isArray(messages)) throw new TypeError(`gave ${typeof messages} where it must give a list of messages`)
  for (let i = 0; i < messages.length; i++) {
    const { value } = (messages as readonly Partial<OutMessage>[])[i]!
    if (!(value instanceof Uint8Array)) throw new TypeError('gave a message whose value is not bytes')
  }
}
