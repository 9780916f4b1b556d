// What benches share: options, runs in processes of their own, medians and tables.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** One run of one way; `units` is what the cost is divided by. */
export interface Cost {
  /** CPU seconds of all threads, user and system. */
  cpu: number
  /** Seconds. */
  wall: number
  units: number
  /** Largest resident size in bytes. */
  rss?: number
}

export const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1] ?? NaN

/** Runs a program that prints one Cost as JSON in its last line. */
export async function costOf(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Cost> {
  const { stdout } = await run(program, [...args], { maxBuffer: 1 << 26, env: { ...process.env, ...env } })
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Cost
}

/** Largest resident size of this process so far, in bytes. */
export function peakBytes(): number {
  const kb = /VmHWM:\s*(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  return kb === undefined ? process.memoryUsage.rss() : Number(kb) * 1024
}

/** Begins to measure this process; the function returned gives what was spent since. */
export function stopwatch(): (units: number) => Cost {
  const cpu = process.cpuUsage()
  const start = performance.now()
  return (units) => {
    const { user, system } = process.cpuUsage(cpu)
    return { cpu: (user + system) / 1e6, wall: (performance.now() - start) / 1000, units, rss: peakBytes() }
  }
}

/** Where and when: goes above every table. */
export const conditions = (): string =>
  `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`

export interface Row {
  readonly name: string
  readonly runs: readonly Cost[]
}

/** A Markdown table; the last columns compare with the first row. */
export function table(title: string, rows: readonly Row[], scale = 1): string {
  const per = ({ runs }: Row): number[] => runs.map(({ cpu, units }) => (cpu / units) * scale)
  const base = median(rows[0] === undefined ? [] : per(rows[0]))
  const speed = ({ runs }: Row): number => median(runs.map(({ wall, units }) => units / wall))
  const first = rows[0] === undefined ? NaN : speed(rows[0])
  const line = (row: Row): string => {
    const costs = per(row)
    const figures = [Math.min(...costs), median(costs), Math.max(...costs)].map((n) => n.toPrecision(3))
    const rss = row.runs.map((cost) => cost.rss ?? NaN)
    const memory = Number.isNaN(median(rss)) ? '' : `${Math.round(Math.max(...rss) / 1e6)}`
    const wall = median(row.runs.map((cost) => cost.wall)).toFixed(2)
    const relative = `${(median(costs) / base).toFixed(2)} | ${(speed(row) / first).toFixed(2)}`
    return `| ${row.name} | ${figures.join(' | ')} | ${relative} | ${wall} | ${memory} |`
  }
  return [
    `| ${title} | min | median | max | cost ÷ first | speed ÷ first | wall s | peak MB |`,
    '|---|---|---|---|---|---|---|---|',
    ...rows.map(line)
  ].join('\n')
}
