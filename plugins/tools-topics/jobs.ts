// `nexstream jobs`: the running and the last jobs with a progress line each.
import { exitCodes, type JobInfo, type Terminal, type ToolRun, visible } from '../../core/api/plugin.js'
import { ask, bytes, showReply, table, terminalWidth } from '../tools-daemon/tool-kit.js'

const jobs: ToolRun = async ([jobId], flags, context) => {
  const answer = await ask(context, flags, { cmd: 'jobs', ...(jobId !== undefined && { job_id: jobId }) })
  if (answer.response === 'ERR') return showReply(context, flags, answer)
  const list = answer.result as readonly JobInfo[]
  if (flags['json'] === true) for (const job of list) await context.printJson(job)
  else await context.print(jobTable(list, context))
  return exitCodes.done
}

export default jobs

const stateColours = { running: 'green', failed: 'red', stopping: 'yellow' } as const
const isColoured = (state: string): state is keyof typeof stateColours => Object.hasOwn(stateColours, state)

/** One line a job, on a terminal no wider than it: the keys that every job has, then what its service says of progress. */
export function jobTable(list: readonly JobInfo[], terminal: Terminal, most = terminalWidth()): string {
  const { colour } = terminal
  if (list.length === 0) return 'no jobs'
  const rows = list.map((job) => {
    const state = String(job['state'])
    return [
      idOf(job, most),
      String(job['service']),
      isColoured(state) ? colour[stateColours[state]](state) : state,
      elapsed(job),
      progressOf(job)
    ]
  })
  return table(terminal, [['job', 'service', 'state', 'time', 'progress'], ...rows], most)
}

/** Ids made by us are long: on a narrow terminal they leave room for the progress. */
function idOf(job: JobInfo, most: number): string {
  const id = visible(String(job['job_id']))
  return most < NARROW && id.length > SHORT ? `${id.slice(0, SHORT - 1)}…` : id
}
const [NARROW, SHORT] = [100, 16] as const

/** Of a job that runs how far it is, of one that has ended how it did, before all else: a narrow terminal shows the beginning only. */
function progressOf(job: JobInfo): string {
  const message = visible(typeof job['message'] === 'string' ? job['message'] : '')
  const words = typeof job['ended'] === 'string' ? [message, countsOf(job)] : [countsOf(job), message]
  return words.filter((word) => word !== '').join('  ')
}

function elapsed(job: JobInfo): string {
  const end = typeof job['ended'] === 'string' ? Date.parse(job['ended']) : Date.now()
  const seconds = Math.max(0, Math.round((end - Date.parse(String(job['started']))) / 1000))
  const pad = (n: number): string => String(n).padStart(2, '0')
  return `${Math.floor(seconds / 3600)}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`
}

const general = new Set(['job_id', 'service', 'state', 'message', 'started', 'ended'])

/** What is said first. */
const foremost = ['pulses', 'messages', 'file_bytes', 'written', 'behind_s', 'lost', 'events']
const rank = (key: string): number => (foremost.includes(key) ? foremost.indexOf(key) : foremost.length)

/** The plain values among the service's own keys. */
function countsOf(job: JobInfo): string {
  return plainOf(job, (key) => !general.has(key))
    .toSorted(([a], [b]) => rank(a) - rank(b))
    .map(sayPlain)
    .join(' ')
}

type Plain = readonly [key: string, value: unknown]

/** Strings, numbers and booleans of the keys that are wanted. */
export const plainOf = (object: object, isWanted: (key: string) => boolean): Plain[] =>
  Object.entries(object).filter(([key, value]) => isWanted(key) && ['string', 'number', 'boolean'].includes(typeof value)) // prettier-ignore

export const sayPlain = ([key, value]: Plain): string =>
  visible(`${key}=${typeof value === 'number' && key.endsWith('bytes') ? bytes(value) : String(value)}`)
