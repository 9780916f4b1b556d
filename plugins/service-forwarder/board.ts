// The list of streams and the channels that are open for it; brings the second in line with the first.
import { CodedError, type ErrorCode, errorText } from '../../core/api/plugin.js'
import { Channel, type ChannelContext } from './channel.js'
import { everything, type Ownership } from './share.js'
import { type Spec } from './spec.js'
import { sourceOf } from '../../schemas/index.js'

export interface Failure {
  readonly code: ErrorCode
  readonly message: string
}

export class Board {
  /** Every stream of the list, by identity. */
  readonly specs = new Map<string, Spec>()
  readonly channels = new Map<string, Channel>()
  /** Topics that do not exist (yet): streams to them wait. */
  missingTopics: ReadonlySet<string> = new Set()
  /** Those with something to repeat: thousands of others are not looked at at each tick. */
  #periodic: readonly Channel[] = []
  #repeater: NodeJS.Timeout | undefined
  #closed = false

  constructor(
    readonly shared: ChannelContext,
    /** How often it is looked for what is to be repeated. */
    readonly repeatTickMs: number,
    /** Which channels are for this daemon; others may share the list. */
    readonly ownership: Ownership = everything
  ) {}

  /**
   * Opens, changes and closes what differs from the list. Routes that are in both go on untouched.
   * Streams that cannot be opened are taken off the list and returned with the reason.
   */
  async reconcile(): Promise<Map<string, Failure>> {
    const failures = new Map<string, Failure>()
    if (this.#closed) return failures // A command that was under way when the service stopped
    const { ownership } = this
    ownership.update(this.specs.values())
    for (const [key, channel] of this.channels) {
      const kept = ownership.keeps(key)
      for (const id of [...channel.entries.keys()]) if (!kept || !this.specs.has(id)) channel.remove(id)
    }
    for (const spec of [...this.specs.values()]) {
      const { channelKey: key } = spec
      if (!ownership.owns(key) && !(this.channels.has(key) && ownership.keeps(key))) continue
      if (this.missingTopics.has(spec.topic)) continue
      try {
        this.#open(spec)
      } catch (error) {
        this.specs.delete(spec.id)
        failures.set(spec.id, failureOf(error))
      }
    }
    await this.#sweep()
    this.#setPeriodic([...this.channels.values()].filter(({ isPeriodic }) => isPeriodic))
    return failures
  }

  /** Nothing is opened any more. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.channels.values()].map((channel) => channel.close()))
    this.channels.clear()
    this.#setPeriodic([])
  }

  /** With nothing to repeat, nobody is woken. */
  #setPeriodic(channels: readonly Channel[]): void {
    this.#periodic = channels
    const repeat = (): void => {
      const nowMs = Date.now()
      for (const channel of this.#periodic) channel.repeat(nowMs)
    }
    if (channels.length > 0 && !this.#closed) this.#repeater ??= setInterval(repeat, this.repeatTickMs)
    else {
      clearInterval(this.#repeater)
      this.#repeater = undefined
    }
  }

  #open(spec: Spec): void {
    const present = this.channels.get(spec.channelKey)
    const entry = present?.entries.get(spec.id)
    if (present !== undefined && entry !== undefined) {
      if (entry.spec.settings !== spec.settings) present.change(spec)
      return
    }
    if (present !== undefined) return present.add(spec)
    const source = sourceOf(this.shared.context, spec.protocol)
    if (source === undefined) throw new CodedError('SOURCE_UNKNOWN', `no source '${spec.protocol}' is loaded`)
    const channel = new Channel(spec.protocol, spec.channel, this.shared)
    channel.add(spec)
    this.channels.set(spec.channelKey, channel)
    const options = structuredClone(spec.sourceOptions)
    this.shared.context.check(source.config, options) // Fills in defaults; it was found good before
    channel.open(source, options)
  }

  async #sweep(): Promise<void> {
    const empty = [...this.channels].filter(([, channel]) => channel.entries.size === 0)
    for (const [key] of empty) this.channels.delete(key)
    await Promise.all(empty.map(([, channel]) => channel.close()))
  }
}

function failureOf(error: unknown): Failure {
  const message = errorText(error)
  return { code: error instanceof CodedError ? error.code : 'COMMAND_FAILED', message }
}
