// A long run at one rate: each minute what was lost and how much memory the daemon has.
import { readFileSync } from 'node:fs'
import { type BenchCase } from './cases.js'
import { type BenchDaemon } from './daemon.js'
import { type SendOrder } from './sender.js'

const MINUTE_S = 60
const MB = 1024
/** What it may grow from the end of the first minutes to the last one, MB: the collector moves by less. */
const GROWTH_MB = 25
/** Code is compiled and memory found in these; of a shorter run in the first. */
const FIRST_MINUTES = 3

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

/** Gives 1 when something was lost, or when its memory has grown. */
export async function soak(
  { name, one, minutes, rate, port, send, say }: SoakOrder,
  daemon: BenchDaemon
): Promise<number> {
  // prettier-ignore
  await daemon.start(name, one, port, {})
  const resident: number[] = []
  for (let minute = 1; minute <= minutes; minute++) {
    await send({ packets: rate * MINUTE_S, rate })
    const { packets, events, losses } = await daemon.counts(name)
    const now = residentMb(daemon.daemon.pid)
    resident.push(now)
    const lost = Object.entries(losses).filter(([, n]) => n > 0).map(([reason, n]) => `${reason} ${n}`) // prettier-ignore
    say(`${name} minute ${minute}: ${packets} packets, ${events} events, lost: ${lost.join(', ') || 'nothing'}; resident ${now.toFixed(0)} MB (first minute ${resident[0]!.toFixed(0)})`) // prettier-ignore
  }
  const { packets, events, delivered_events: delivered, losses } = await daemon.stop(name)
  const lost = Object.values(losses).reduce((sum, n) => sum + n, 0)
  const sent = minutes * MINUTE_S * rate
  say(`${name}: ${sent} packets sent, ${packets} received; ${events} events, ${delivered} acknowledged; losses ${lost}`)
  const early = Math.max(...resident.slice(0, FIRST_MINUTES))
  const grown = resident.at(-1)! - early
  const isWhole = packets === sent && delivered === events && lost === 0
  const isFlat = grown <= GROWTH_MB
  say(`${name}: ${isWhole ? 'nothing lost' : 'LOST packets or events'}; memory ${isFlat ? 'flat' : 'GROWS'} (last minute ${grown.toFixed(0)} MB above the most of the first ${Math.min(minutes, FIRST_MINUTES)}; ${GROWTH_MB} are allowed): ${isWhole && isFlat ? 'passed' : 'FAILED'}`) // prettier-ignore
  return isWhole && isFlat ? 0 : 1
}
