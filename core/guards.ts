// The places where core calls parts of plugins: what they throw, and what is no answer, is caught there and becomes a fault.
import { CodedError, errorText } from './api/errors.js'
import {
  type Command,
  type Dialect,
  type OutMessage,
  type Reporter,
  type Service,
  type Snapshot,
  type Subscription
} from './api/plugin.js'
import { CLOSE_DEADLINE_MS, within } from './closing.js'
import { type Caught } from './faults.js'

/** One part with its plugin, and who hears of its faults. */
export interface GuardedPart {
  readonly plugin: string
  /** Kind and id. */
  readonly part: string
  readonly caught: Caught
}

/** What a value must be, in words and as a check. */
interface Form<T> {
  readonly words: string
  readonly fits: (value: unknown) => value is T
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null
const isPromise = (value: unknown): value is PromiseLike<unknown> => isObject(value) && typeof value['then'] === 'function' // prettier-ignore

const has =
  <T>(...methods: string[]) =>
  (value: unknown): value is T =>
    isObject(value) && !isPromise(value) && methods.every((method) => typeof value[method] === 'function')
const say = (value: unknown): string =>
  isPromise(value) ? 'a promise' : isObject(value) ? 'an object without them' : `${typeof value} ${String(value).slice(0, 40)}` // prettier-ignore

function fit<T>(value: unknown, { words, fits }: Form<T>, { plugin, part, caught }: GuardedPart, method: string): T {
  if (fits(value)) return value
  // A promise that nobody waits for must not end the process when it rejects
  if (isPromise(value)) value.then(undefined, (error: unknown) => caught(plugin, part, method, error))
  throw new CodedError('PLUGIN_FAILED', `gave ${say(value)} where it must give ${words}`)
}

/** The value of a method that answers at once; undefined, and a fault, when it threw or gave something else. */
function asked<T>(place: GuardedPart, method: string, form: Form<T>, call: () => unknown): T | undefined {
  try {
    return fit(call(), form, place, method)
  } catch (error) {
    place.caught(place.plugin, place.part, method, error)
    return undefined
  }
}

/**
 * What `open` of a part gives. Throws the part's own CodedErrors (a refusal of its options); anything else is a fault and thrown as
 * PLUGIN_FAILED with plugin and part.
 */
export function opened<T>(place: GuardedPart, form: Form<T>, call: () => unknown): T {
  try {
    return fit(call(), form, place, 'open')
  } catch (error) {
    const { plugin, part, caught } = place
    if (error instanceof CodedError && error.code !== 'PLUGIN_FAILED') throw error
    caught(plugin, part, 'open', error)
    const text = `[plugin ${plugin}] ${part}: open: ${errorText(error)}`
    throw new CodedError('PLUGIN_FAILED', text, { cause: error, fields: { plugin } })
  }
}

export const forms = {
  service: { words: 'a service (start, stop, snapshot)', fits: has<Service>('start', 'stop', 'snapshot') },
  reporter: {
    words: 'a reporter (report) or undefined',
    fits: (value: unknown): value is Reporter | undefined => value === undefined || has<Reporter>('report')(value)
  },
  subscription: { words: 'a subscription (close)', fits: has<Subscription>('close') },
  nothing: { words: 'nothing', fits: (value: unknown): value is undefined => !isPromise(value) },
  object: { words: 'an object', fits: has<object>() },
  snapshot: {
    words: 'a snapshot with a state',
    fits: (value: unknown): value is Snapshot =>
      isObject(value) &&
      typeof value['state'] === 'string' &&
      ['metrics', 'heartbeats', 'not_ready'].every((key) => value[key] === undefined || Array.isArray(value[key]))
  },
  command: {
    words: 'a command (cmd) or undefined',
    fits: (value: unknown): value is Command | undefined =>
      value === undefined || (isObject(value) && typeof value['cmd'] === 'string')
  },
  messages: {
    words: 'a list of messages (value: bytes)',
    fits: (value: unknown): value is readonly OutMessage[] =>
      Array.isArray(value) && value.every((one: unknown) => isObject(one) && one['value'] instanceof Uint8Array)
  }
} as const

/** A service as the daemon calls it. */
export class GuardedService {
  /** Why it does not run. */
  #trouble: string | undefined

  /** @param service - undefined: it could not be opened, for the reason `trouble` */
  constructor(
    readonly place: GuardedPart,
    readonly service: Service | undefined,
    trouble?: string
  ) {
    this.#trouble = trouble
  }

  /** False when it does not run. Rejects with the service's own CodedErrors: with these the daemon cannot run. */
  async start(deadlineMs: number): Promise<boolean> {
    const { service } = this
    if (service === undefined) return false
    try {
      await within(() => service.start(), 'it', deadlineMs)
      return true
    } catch (error) {
      if (error instanceof CodedError && error.code !== 'PLUGIN_TIMEOUT') throw error
      this.#caught('start', error)
      this.#trouble = `start: ${errorText(error)}`
      return false
    }
  }

  retire(): void {
    asked(this.place, 'retire', forms.nothing, () => this.service?.retire?.())
  }

  /** False when it did not end in time. */
  async stop(reason: string, deadlineMs: number): Promise<boolean> {
    try {
      await within(() => this.service?.stop(reason), 'it', deadlineMs)
      return true
    } catch (error) {
      this.#caught('stop', error)
      return !(error instanceof CodedError && error.code === 'PLUGIN_TIMEOUT')
    }
  }

  /** State `faulty` with the `error` when it has none. */
  snapshot(): Snapshot {
    const { service, place } = this
    const snapshot = service && asked(place, 'snapshot', forms.snapshot, () => service.snapshot())
    if (this.#trouble === undefined && snapshot !== undefined) return snapshot
    return { ...snapshot, state: 'faulty', error: this.#trouble ?? 'snapshot: see the log' }
  }

  #caught(method: string, error: unknown): void {
    const { plugin, part, caught } = this.place
    caught(plugin, part, method, error)
  }
}

/** A dialect that refuses by CodedErrors only; what else goes wrong in it is as if it had not spoken. */
export function guardedDialect(dialect: Dialect, place: GuardedPart): Dialect {
  return {
    id: dialect.id,
    decode(message) {
      try {
        return fit(dialect.decode(message), forms.command, place, 'decode')
      } catch (error) {
        if (error instanceof CodedError && error.code !== 'PLUGIN_FAILED') throw error
        place.caught(place.plugin, place.part, 'decode', error)
        return undefined
      }
    },
    reply: (command, reply, serviceId) =>
      asked(place, 'reply', forms.messages, () => dialect.reply(command, reply, serviceId)) ?? [],
    event: (event, serviceId) => asked(place, 'event', forms.messages, () => dialect.event(event, serviceId)) ?? [],
    ...(dialect.file && { file: (content: unknown) => dialect.file?.(content) })
  }
}

/** A subscription whose methods never throw or reject, and that closes in time. */
export function guardedSubscription(subscription: Subscription, place: GuardedPart): Subscription {
  const failed = (method: string) => (error: unknown) => place.caught(place.plugin, place.part, method, error)
  const now = (method: 'close' | 'pause' | 'resume') => (): unknown => {
    try {
      return subscription[method]?.()
    } catch (error) {
      return void failed(method)(error)
    }
  }
  const close = now('close')
  return {
    close() {
      const closing = close()
      if (isPromise(closing)) return within(() => closing, 'it', CLOSE_DEADLINE_MS).then(() => undefined, failed('close')) // prettier-ignore
    },
    ...(subscription.pause && { pause: () => void now('pause')() }),
    ...(subscription.resume && { resume: () => void now('resume')() })
  }
}
