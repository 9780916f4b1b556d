// What a process has used so far, from /proc (Linux only).
import { readFileSync } from 'node:fs'

/** Clock ticks of /proc/PID/stat per second: 100 on every Linux that Node runs on. */
const TICKS = 100

/** CPU seconds of all threads of a process, user and system. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name in brackets may hold spaces
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/** Resident memory in MB: now and at its highest. */
export function memory(pid: number): { rssMb: number; peakMb: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kb = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1])
  return { rssMb: Math.round(kb('VmRSS') / 1024), peakMb: Math.round(kb('VmHWM') / 1024) }
}

/** Share of the machine that was idle between two calls: `const idle = idleMeter(); …; idle()`. */
export function idleMeter(): () => number {
  const read = (): number[] => {
    const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n')
    return line.split(/\s+/).slice(1, 9).map(Number)
  }
  const before = read()
  return () => {
    const spent = read().map((value, i) => value - before[i]!)
    const all = spent.reduce((sum, value) => sum + value, 0)
    return all === 0 ? 0 : (spent[3]! + spent[4]!) / all
  }
}
