// A long run at one rate: each minute what was lost and how much memory the daemon has.
import { readFileSync } from 'node:fs'
import { type BenchCase } from './cases.js'
import { type BenchDaemon } from './daemon.js'
import { type SendOrder } from './sender.js'

const MINUTE_S = 60
const MB = 1024

/** MB. */
function residentMb(pid: number): number {
  const kb = /VmRSS:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kb) / MB
}

export interface SoakOrder {
  readonly name: string
  readonly one: BenchCase
  readonly minutes: number
  readonly rate: number
  readonly port: number
  readonly send: (order: SendOrder) => Promise<void>
  readonly say: (line: string) => void
}

/** Gives 1 when something was lost. Memory is told from the first minute on, and judged by who reads it. */
export async function soak(
  { name, one, minutes, rate, port, send, say }: SoakOrder,
  daemon: BenchDaemon
): Promise<number> {
  // prettier-ignore
  await daemon.start(name, one, port, {})
  let first: number | undefined
  for (let minute = 1; minute <= minutes; minute++) {
    await send({ packets: rate * MINUTE_S, rate })
    const { packets, events, losses } = await daemon.counts(name)
    const now = residentMb(daemon.daemon.pid)
    first ??= now
    const lost = Object.entries(losses).filter(([, n]) => n > 0).map(([reason, n]) => `${reason} ${n}`) // prettier-ignore
    say(`${name} minute ${minute}: ${packets} packets, ${events} events, lost: ${lost.join(', ') || 'nothing'}; resident ${now.toFixed(0)} MB (first minute ${first.toFixed(0)})`) // prettier-ignore
  }
  const { packets, events, delivered_events: delivered, losses } = await daemon.stop(name)
  const lost = Object.values(losses).reduce((sum, n) => sum + n, 0)
  const sent = minutes * MINUTE_S * rate
  say(`${name}: ${sent} packets sent, ${packets} received; ${events} events, ${delivered} acknowledged; losses ${lost}`)
  return packets === sent && delivered === events && lost === 0 ? 0 : 1
}
