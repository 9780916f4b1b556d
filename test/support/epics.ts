// Opens channels of the plugin source-epics in tests and keeps what they emit.
import {
  type Context,
  type DaemonSnapshot,
  type Plugin,
  type Registry,
  type Subscription
} from '../../core/api/plugin.js'
import { type SourcePart, type Update, type Vector } from '../../schemas/index.js'
import { PATIENCE_MS } from './patience.js'

export interface Recorder {
  readonly updates: Update[]
  readonly subscription: Subscription
  /** Resolves with the first update (from `from` on) for which `wanted` holds; rejects after 20 s. */
  until(wanted: (update: Update) => boolean, from?: number): Promise<Update>
  /** The next value that is not yet taken. */
  value(wanted?: (update: Update) => boolean): Promise<Update>
  connection(state: number, from?: number): Promise<Update>
}

export interface Epics {
  /** `seen` is called from within `emit`. */
  open(
    protocol: 'ca' | 'pva',
    channel: string,
    config?: Readonly<Record<string, unknown>>,
    seen?: (update: Update) => void
  ): Recorder
  readonly warnings: string[]
  /** What the plugin adds to the snapshot of the daemon. */
  sources(): NonNullable<DaemonSnapshot['sources']>
  close(): Promise<void>
}

/** The plugin as the daemon loads it, with `options`. */
export async function openEpics(options: Readonly<Record<string, unknown>>): Promise<Epics> {
  // A module of its own each time: its clients belong to one load.
  const url = new URL('../../plugins/source-epics/index.js', import.meta.url)
  const { default: plugin } = (await import(`${url.href}?${Math.random()}`)) as { default: Plugin }
  const parts = new Map<string, SourcePart>()
  let snapshot: () => Partial<DaemonSnapshot> = () => ({})
  const registry = {
    source: (part: SourcePart) => parts.set(part.id, part),
    hooks: { snapshot: { tap: (_: string, add: (before: object) => DaemonSnapshot) => (snapshot = () => add({})) } }
  } as unknown as Registry
  await plugin.apply(registry, options)
  const warnings: string[] = []
  const context: Context = {
    jobId: 'test',
    signal: new AbortController().signal,
    log: (level, message) => warnings.push(`${level}: ${message}`),
    count: () => undefined
  }
  return {
    warnings,
    sources: () => snapshot().sources ?? {},
    open: (protocol, channel, config = {}, seen = undefined) =>
      record((emit) => (parts.get(protocol) as SourcePart).open({ channel, ...config }, context, emit), channel, seen),
    close: async () => plugin.close?.()
  }
}

function record(
  open: (emit: (update: Update) => void) => Subscription,
  channel: string,
  seen?: (update: Update) => void
): Recorder {
  const updates: Update[] = []
  const waiting = new Set<() => void>()
  const subscription = open((update) => {
    updates.push(update)
    seen?.(update)
    for (const check of waiting) check()
  })
  const until = (wanted: (update: Update) => boolean, from = 0): Promise<Update> =>
    new Promise((resolve, reject) => {
      let next = from
      const check = (): void => {
        for (; next < updates.length; next++) {
          const update = updates[next] as Update
          if (!wanted(update)) continue
          waiting.delete(check)
          clearTimeout(timer)
          return resolve(update)
        }
      }
      const timer = setTimeout(() => {
        waiting.delete(check)
        const seen = updates
          .map(
            ({ kind, value, connection }) =>
              `${kind} ${JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? String(one) : one))?.slice(0, 50)} ${connection}`
          )
          .slice(-5)
        reject(new Error(`${channel}: the awaited update did not come; ${updates.length} came: ${seen.join(', ')}`))
      }, PATIENCE_MS)
      waiting.add(check)
      check()
    })
  return {
    updates,
    subscription,
    until,
    value: (wanted = () => true) => until((update) => update.kind === 'value' && wanted(update)),
    connection: (state, from) => until((update) => update.kind === 'connection' && update.connection === state, from)
  }
}

/** Plugin options with which both clients find exactly these addresses. */
export const only = (ca: readonly string[], pva: readonly string[], more: Readonly<Record<string, unknown>> = {}) => ({
  ca: { addr_list: ca, auto_addr_list: false, repeater_port: 9, repeater: false, ...more },
  pva: { addr_list: pva, auto_addr_list: false, ...more }
})

/** Opens the plugin in the tests of this `describe`; each is closed when its test has ended. */
export function connecting(): (options: Readonly<Record<string, unknown>>) => Promise<Epics> {
  const open: Epics[] = []
  afterEach(async () => {
    for (const epics of open.splice(0)) await epics.close()
  })
  return async (options) => {
    const epics = await openEpics(options)
    open.push(epics)
    return epics
  }
}

/** The connection states that a channel went through. */
export const states = ({ updates }: Recorder): number[] =>
  updates.filter(({ kind }) => kind === 'connection').map(({ connection }) => connection)

/** Gives each update back when the next has come, but for one in between: that one is kept. */
export class Borrower {
  readonly seen: number[] = []
  readonly memory = new Set<ArrayBufferLike>()
  kept: Update | undefined
  #before: Update | undefined

  /** `read` tells the number of a vector, having checked it. */
  constructor(
    readonly vectorOf: (update: Update) => Vector,
    readonly read: (vector: Vector) => number
  ) {}

  take(update: Update): void {
    const vector = this.vectorOf(update)
    this.seen.push(this.read(vector))
    this.memory.add(vector.bytes.buffer)
    if (this.seen.length === 10) this.kept = this.#before
    else this.#before?.giveBack?.()
    this.#before = update
  }
}
