// The plugin host: parts by id and control-plane hooks on tapable; every failure names its plugin and every tap has a deadline.
import { AsyncSeriesHook, HookMap, SyncBailHook, SyncWaterfallHook, type FullTap } from 'tapable'
import { within } from './closing.js'
import { CodedError, errorText } from './api/errors.js'
import {
  type DaemonSnapshot,
  type Dialect,
  type Hooks,
  type Job,
  type JSONSchema,
  type LogLine,
  type Registry,
  type ReporterPart,
  type ServicePart,
  type ToolPart,
  type OpenedByService
} from './api/plugin.js'

/** What parts of each kind look like. */
export interface Parts {
  source: OpenedByService
  converter: OpenedByService
  writer: OpenedByService
  readout: OpenedByService
  service: ServicePart
  reporter: ReporterPart
  dialect: Dialect
  tool: ToolPart
}
export type PartKind = keyof Parts
export const partKinds: readonly PartKind[] = [
  'source',
  'converter',
  'writer',
  'readout',
  'service',
  'reporter',
  'dialect',
  'tool'
]

/** Milliseconds a plugin may take for one hook or for `apply`. */
const HOOK_DEADLINE_MS = 10_000

type Lookup<K extends PartKind> = HookMap<SyncBailHook<[], Parts[K]>>

export class Host {
  /** Hears of faults of hooks that must not stop what goes on: from then on they are passed over. */
  onFault: ((plugin: string, hook: string, error: unknown) => void) | undefined
  readonly hooks: Hooks = {
    jobStarting: guarded(new AsyncSeriesHook<[Job]>(['job'], 'jobStarting')),
    jobStopped: guarded(new AsyncSeriesHook<[Job]>(['job'], 'jobStopped'), () => this.onFault),
    snapshot: guarded(new SyncWaterfallHook<[DaemonSnapshot]>(['snapshot'], 'snapshot'), () => this.onFault, isObject),
    logged: guarded(new SyncWaterfallHook<[LogLine]>(['line'], 'logged'), () => this.onFault, isObject)
  }
  readonly #lookups: { [K in PartKind]: Lookup<K> } = {
    source: lookup(),
    converter: lookup(),
    writer: lookup(),
    readout: lookup(),
    service: lookup(),
    reporter: lookup(),
    dialect: lookup(),
    tool: lookup()
  }
  /** Kind → part id → plugin that brought it. */
  readonly #owners = new Map<PartKind, Map<string, string>>(partKinds.map((kind) => [kind, new Map<string, string>()]))

  /** The part of this id, or undefined. */
  part<K extends PartKind>(kind: K, id: string): Parts[K] | undefined {
    return this.#lookups[kind].get(id)?.call()
  }

  /** Ids of all parts of a kind, sorted. */
  ids(kind: PartKind): string[] {
    return [...(this.#owners.get(kind)?.keys() ?? [])].sort()
  }

  /** The plugin that brought a part. */
  owner(kind: PartKind, id: string): string | undefined {
    return this.#owners.get(kind)?.get(id)
  }

  /** What one plugin's `apply` gets. */
  registryFor(plugin: string): Registry {
    const add =
      <K extends PartKind>(kind: K) =>
      (part: Parts[K]): void =>
        this.#add(kind, plugin, part)
    return {
      source: add('source'),
      converter: add('converter'),
      writer: add('writer'),
      readout: add('readout'),
      service: add('service'),
      reporter: add('reporter'),
      dialect: add('dialect'),
      tool: add('tool'),
      hooks: this.hooks
    }
  }

  #add<K extends PartKind>(kind: K, plugin: string, part: Parts[K]): void {
    const owners = this.#owners.get(kind)
    const owner = owners?.get(part.id)
    if (owner !== undefined) {
      const text = `plugins ${owner} and ${plugin} both bring the ${kind} '${part.id}'; remove one of them`
      throw new CodedError('PLUGIN_DUPLICATE_ID', text, { fields: { plugin, owner } })
    }
    owners?.set(part.id, plugin)
    this.#lookups[kind].for(part.id).tap(plugin, () => part)
  }
}

function lookup<K extends PartKind>(): Lookup<K> {
  return new HookMap<SyncBailHook<[], Parts[K]>>((id?: unknown) => new SyncBailHook<[], Parts[K]>([], String(id)))
}

interface Interceptable {
  readonly name: string | undefined
  intercept(interceptor: { register(tap: FullTap): FullTap }): void
}

type Fn = (...args: unknown[]) => unknown
type OnFault = () => Host['onFault']

const isObject = (value: unknown): boolean =>
  value === undefined || (typeof value === 'object' && value !== null && !('then' in value))

/**
 * Wraps every tap so that its failure names plugin and hook, and gives asynchronous ones a deadline.
 * @param onFault - who hears of a failure in place of the caller
 * @param fits - what a tap may give
 */
function guarded<H extends Interceptable>(
  hook: H,
  onFault: OnFault = () => undefined,
  fits: (value: unknown) => boolean = () => true
): H {
  const name = hook.name ?? 'hook'
  hook.intercept({
    register: (tap) => {
      const fn = tap.fn as Fn
      const failed = (error: unknown): undefined => {
        const tell = onFault()
        if (tell === undefined) throw named(error, tap.name, name)
        tell(tap.name, name, error)
      }
      const sync = (...args: unknown[]): unknown => {
        try {
          const value = fn(...args)
          if (fits(value)) return value
          if (value instanceof Promise) value.catch(failed)
          throw new CodedError('PLUGIN_FAILED', `gave ${typeof value} where it must give an object or nothing`)
        } catch (error) {
          return failed(error)
        }
      }
      const inTime = (call: () => Promise<unknown>): Promise<unknown> =>
        withDeadline(call, tap.name, name).catch(failed)
      const wrapped =
        tap.type === 'promise'
          ? (...args: unknown[]) => inTime(() => Promise.resolve(fn(...args)))
          : tap.type === 'async'
            ? withCallback(fn, inTime)
            : sync
      return { ...tap, fn: wrapped }
    }
  })
  return hook
}

function withCallback(fn: Fn, inTime: (call: () => Promise<unknown>) => Promise<unknown>) {
  return (...args: unknown[]): void => {
    const done = args.pop() as (error?: Error | null, result?: unknown) => void
    const call = async (): Promise<unknown> =>
      new Promise((resolve, reject) => {
        fn(...args, (error: Error | null, result: unknown) => (error ? reject(error) : resolve(result)))
      })
    inTime(call).then(
      (result) => done(null, result),
      (error: Error) => done(error)
    )
  }
}

/** Runs a plugin's function with a deadline; its failure becomes PLUGIN_FAILED or PLUGIN_TIMEOUT with the plugin's name. */
export async function withDeadline<T>(
  call: () => Promise<T>,
  plugin: string,
  hook: string,
  deadlineMs = HOOK_DEADLINE_MS
): Promise<T> {
  try {
    return await within(call, `[plugin ${plugin}] ${hook}`, deadlineMs, { plugin, hook })
  } catch (error) {
    throw named(error, plugin, hook)
  }
}

/** A coded error passes with its code, anything else becomes PLUGIN_FAILED; both name the plugin. */
function named(error: unknown, plugin: string, hook: string): CodedError {
  if (error instanceof CodedError && error.fields['plugin'] !== undefined) return error
  const message = errorText(error)
  const code = error instanceof CodedError ? error.code : 'PLUGIN_FAILED'
  return new CodedError(code, `[plugin ${plugin}] ${hook}: ${message}`, { cause: error, fields: { plugin, hook } })
}

/** One part, plain. */
interface PartInfo {
  readonly kind: PartKind
  readonly id: string
  readonly plugin: string
  readonly summary: string
  readonly config: JSONSchema
}

/** All parts, by kind and id. */
export function partsOf(host: Host): PartInfo[] {
  return partKinds.flatMap((kind) =>
    host.ids(kind).map((id) => {
      const part = host.part(kind, id)
      const summary = part !== undefined && 'summary' in part ? part.summary : ''
      const config = part !== undefined && 'config' in part ? part.config : {}
      return { kind, id, plugin: host.owner(kind, id) ?? '', summary, config }
    })
  )
}
