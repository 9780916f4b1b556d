// `nexstream jobs`: the running and the last jobs with a progress line each.
import { type JobInfo } from '../api/plugin.js'
import { askOnce, type CommandFlags, showAnswer } from './command-client.js'
import { exitCodes } from './exit.js'
import { colour, print, printJson, table, visible } from './io.js'

export async function jobs(jobId: string | undefined, flags: CommandFlags): Promise<number> {
  const answer = await askOnce({ cmd: 'jobs', ...(jobId !== undefined && { job_id: jobId }) }, flags)
  if (answer.response === 'ERR') return showAnswer(answer, flags.json)
  const list = answer.result as readonly JobInfo[]
  if (flags.json === true) for (const job of list) await printJson(job)
  else await print(jobTable(list))
  return exitCodes.done
}

const stateColours: Readonly<Record<string, (text: string) => string>> = {
  running: colour.green,
  failed: colour.red,
  stopping: colour.yellow
}

/** One line a job: the keys that every job has, then what its service says of progress. */
export function jobTable(list: readonly JobInfo[]): string {
  if (list.length === 0) return 'no jobs'
  const rows = list.map((job) => {
    const state = String(job['state'])
    return [
      visible(String(job['job_id'])),
      String(job['service']),
      (stateColours[state] ?? String)(state),
      elapsed(job),
      progressOf(job),
      visible(typeof job['message'] === 'string' ? job['message'] : '')
    ]
  })
  return table([['job', 'service', 'state', 'time', 'progress', 'message'], ...rows])
}

function elapsed(job: JobInfo): string {
  const end = typeof job['ended'] === 'string' ? Date.parse(job['ended']) : Date.now()
  const seconds = Math.max(0, Math.round((end - Date.parse(String(job['started']))) / 1000))
  const pad = (n: number): string => String(n).padStart(2, '0')
  return `${Math.floor(seconds / 3600)}:${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`
}

const general = new Set(['job_id', 'service', 'state', 'message', 'started', 'ended'])

/** The plain values among the service's own keys. */
function progressOf(job: JobInfo): string {
  return Object.entries(job)
    .filter(([key, value]) => !general.has(key) && ['string', 'number', 'boolean'].includes(typeof value))
    .map(([key, value]) => visible(`${key}=${amount(key, value)}`))
    .join(' ')
}

const amount = (key: string, value: unknown): string =>
  typeof value === 'number' && key.endsWith('bytes') ? bytes(value) : String(value)

/** 1234567 → `1.2 MB`. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = count
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1]
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}
