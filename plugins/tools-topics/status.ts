// `nexstream status`: the daemons that report on the status topic, with the age of their last word.
import { CodedError, type DaemonSnapshot, type ToolContext, type ToolRun, visible } from '../../core/api/plugin.js'
import { repainted, table } from '../tools-daemon/tool-kit.js'
import { decodeValue } from './decoding.js'
import { jobTable, plainOf, sayPlain } from './jobs.js'
import { isWatched, scan } from './scan.js'

interface Heard {
  readonly snapshot: DaemonSnapshot
  readonly atMs: number
}

const isSnapshot = (message: unknown): message is DaemonSnapshot =>
  typeof message === 'object' && message !== null && (message as DaemonSnapshot).type === 'nexstream_status'

/** Shows the newest status of every daemon; waits for a first one, and goes on with --watch. */
const status: ToolRun = async (_args, given, context) => {
  const { print, printJson, timeoutMs } = context
  const flags = given as { topic?: string; watch?: boolean; json?: boolean }
  const topic = flags.topic ?? context.config().status.topic
  if (topic === undefined) throw new CodedError('CLI_USAGE', 'no status topic; give --config FILE or --topic TOPIC')
  const target = context.connect()
  const heard = new Map<string, Heard>()
  const paint = repainted()
  const stop = new AbortController()
  const giveUp = setTimeout(() => stop.abort(), timeoutMs)
  const watching = isWatched(given)
  const repaint = watching && flags.json !== true ? setInterval(() => paint(page(heard, context)), 1000) : undefined
  let fresh: DaemonSnapshot[] = []
  let caught = false
  try {
    await scan(
      target.kafka,
      topic,
      { last: 200, follow: true, timeoutMs, signal: stop.signal },
      {
        message: ({ value, timestampMs }) => {
          const { message } = decodeValue(value)
          if (!isSnapshot(message)) return
          clearTimeout(giveUp)
          heard.set(message.service_id, { snapshot: message, atMs: timestampMs })
          if (caught || !watching) fresh.push(message)
        },
        batch: async () => {
          if (watching && flags.json === true) for (const snapshot of fresh) await printJson(snapshot)
          fresh = []
          return watching || !caught || heard.size === 0
        },
        caughtUp: async () => {
          caught = true
          if (!watching && heard.size > 0) stop.abort()
          return Promise.resolve()
        }
      }
    )
  } finally {
    clearTimeout(giveUp)
    clearInterval(repaint)
    await target.kafka.close()
  }
  if (heard.size === 0)
    throw new CodedError(
      'COMMAND_TIMEOUT',
      `no daemon reported on ${topic} within ${timeoutMs} ms; does one run ('nexstream run')? See --timeout`
    )
  if (flags.json === true && !watching) for (const { snapshot } of heard.values()) await printJson(snapshot)
  if (flags.json !== true && !watching) await print(page(heard, context))
}

export default status

/** One line a daemon, one a service, and the jobs. A daemon that missed two intervals is shown as stale. */
function page(heard: ReadonlyMap<string, Heard>, context: ToolContext): string {
  const { colour } = context
  const rows = [['daemon', 'service', 'state', 'age', 'details']]
  const jobs = []
  for (const { snapshot, atMs } of heard.values()) {
    const age = Math.max(0, Date.now() - atMs)
    const stale = age > 2 * snapshot.update_interval_ms + 3000
    const shownAge = `${(age / 1000).toFixed(0)} s`
    const about = `${snapshot.version} on ${snapshot.host} pid ${snapshot.pid}`
    const state = snapshot.state === 'stopped' ? 'stopped' : stale ? colour.red('stale') : colour.green('alive')
    rows.push([visible(snapshot.service_id), '', state, shownAge, about])
    for (const [id, service] of Object.entries(snapshot.services))
      rows.push(['', id, service.state, '', details(service)])
    jobs.push(...snapshot.jobs)
  }
  return jobs.length > 0 ? `${table(context, rows)}\n\n${jobTable(jobs, context)}` : table(context, rows)
}

const details = (service: Readonly<Record<string, unknown>>): string =>
  plainOf(service, (key) => key !== 'state')
    .map(sayPlain)
    .join(' ')
    .slice(0, 120)
