// `nexstream pv get` and `pv monitor`: what caget and camonitor, pvget and pvmonitor do, by the clients of the forwarder.
import {
  CodedError,
  exitCodes,
  meant,
  type Subscription,
  type ToolContext,
  type ToolFlags,
  type ToolRun
} from '../../core/api/plugin.js'
import { Connection, connectionName, sourceOf, type Update } from '../../schemas/index.js'
import { countOf, pvNamed, untilStopped } from '../tools-daemon/tool-kit.js'
import { jsonOf, lineOf } from './words.js'

interface Named {
  readonly protocol: string
  readonly name: string
}

/** Throws CLI_USAGE. */
function namedIn(words: readonly (string | undefined)[], flags: ToolFlags): Named[] {
  const { protocol: usual = 'ca' } = flags
  return words.map((word = '') => {
    const { protocol = String(usual), name } = pvNamed(word)
    return { protocol, name }
  })
}

/** Opens a channel for each; a protocol that nobody speaks is CLI_USAGE. */
function opened(
  names: readonly Named[],
  { parts, say }: ToolContext,
  signal: AbortSignal,
  emit: (named: Named, update: Update) => void
): Subscription[] {
  const wanted = names.map((named) => {
    const source = sourceOf(parts, named.protocol)
    if (source === undefined)
      throw new CodedError(
        'CLI_USAGE',
        `nobody speaks '${named.protocol}'${meant(named.protocol, parts.ids('source'))}; there are ${parts.ids('source').join(', ')}`
      )
    const config: Record<string, unknown> = { channel: named.name }
    const [wrong] = parts.check(source.config, config)
    if (wrong !== undefined) throw new CodedError('CLI_USAGE', `${named.protocol}://${named.name}: ${wrong.message}`)
    return { named, source, config }
  })
  return wanted.map(({ named, source, config }) => {
    const log = (level: string, message: string): void =>
      level === 'warn' || level === 'error' ? say(message) : undefined
    const context = { jobId: 'pv', signal, log, count: () => undefined }
    return source.open(config, context, (update) => emit(named, update))
  })
}

const notThere = (missing: readonly Named[], timeoutMs: number): CodedError => {
  const names = missing.map(({ protocol, name }) => `${protocol}://${name}`).join(', ')
  const other = missing.some(({ protocol }) => protocol === 'ca') ? 'pva' : 'ca'
  return new CodedError(
    'COMMAND_TIMEOUT',
    `${names}: no server has it, within ${timeoutMs} ms. Is EPICS_${other === 'pva' ? 'CA' : 'PVA'}_ADDR_LIST right? Perhaps it is served over ${other}: write ${other}://NAME; see --timeout`
  )
}

/** Exit code 3 when some of them are not there. */
export const get: ToolRun = async (words, flags, context) => {
  const names = namedIn(words, flags)
  const values = new Map<Named, Update>()
  const stop = untilStopped()
  let all = (): void => undefined
  const allThere = new Promise<void>((resolve) => (all = resolve))
  const timer = setTimeout(all, context.timeoutMs)
  let subscriptions: Subscription[] = []
  try {
    subscriptions = opened(names, context, stop.signal, (named, update) => {
      if (update.kind === 'value' && !values.has(named)) values.set(named, update)
      if (values.size === names.length) all()
    })
    await Promise.race([allThere, stop.ended])
  } finally {
    clearTimeout(timer)
    for (const subscription of subscriptions) await subscription.close()
    stop.done()
  }
  for (const named of names) {
    const value = values.get(named)
    if (value !== undefined) await show(named, value, flags, context)
  }
  const missing = names.filter((named) => !values.has(named))
  if (missing.length === 0 || stop.signal.aborted) return exitCodes.done
  return context.sayError(notThere(missing, context.timeoutMs))
}

/** Says what has not come within --timeout, and goes on: it may come later. */
export const monitor: ToolRun = async (words, flags, context) => {
  const names = namedIn(words, flags)
  const most = typeof flags['count'] === 'string' ? countOf(flags['count'], '--count') : Infinity
  if (most === 0) return
  const stop = untilStopped()
  let enough = (): void => undefined
  const hasEnough = new Promise<void>((resolve) => (enough = resolve))
  const heard = new Set<Named>()
  let shown = 0
  let printed: Promise<void> = Promise.resolve()
  const timer = setTimeout(() => {
    const missing = names.filter((named) => !heard.has(named))
    if (missing.length > 0) context.say(`${notThere(missing, context.timeoutMs).message}; waiting for it`)
  }, context.timeoutMs)
  let subscriptions: Subscription[] = []
  try {
    subscriptions = opened(names, context, stop.signal, (named, update) => {
      if (update.kind === 'value') heard.add(named)
      else if (update.connection === Connection.CONNECTED || update.connection === Connection.NEVER_CONNECTED) return
      if (shown >= most) return
      if (update.kind === 'value') shown++
      printed = printed.then(() => show(named, update, flags, context))
      if (shown >= most) enough()
    })
    await Promise.race([hasEnough, stop.ended])
    await printed
  } finally {
    clearTimeout(timer)
    for (const subscription of subscriptions) await subscription.close()
    stop.done()
  }
}

function show({ protocol, name }: Named, update: Update, flags: ToolFlags, context: ToolContext): Promise<void> {
  if (flags['json'] === true) return context.printJson({ pv: name, protocol, ...jsonOf(update) })
  const state = update.kind === 'value' ? '' : connectionName(update.connection)
  return context.print(lineOf(name, update, state, context))
}
