// What receiving alone costs: the loop in C, compiled in the run where there is a compiler, and Node's.
import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const source = fileURLToPath(new URL('../../../../bench/support/event-formation/recv.c', import.meta.url))

export interface Yardstick {
  /** µs of CPU per packet. @param send - sends so many packets to the port */
  readonly measure: (port: number, packets: number, send: () => Promise<void>) => Promise<number>
  readonly close: () => void
}

const bare = fileURLToPath(new URL('bare.js', import.meta.url))

/** Of a program that says `ready`, receives at PORT and prints packets and µs. */
async function measured(command: readonly string[], send: () => Promise<void>): Promise<number> {
  const [program = '', ...options] = command
  const child = spawn(program, options, { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  if ((await lines.next()).value !== 'ready') throw new Error(`${command.join(' ')} cannot open its port`)
  await send()
  const { value } = (await lines.next()) as { value: string | undefined }
  const [came = 0, us = 0] = (value ?? '').split(' ').map(Number)
  if (came === 0) throw new Error(`${command.join(' ')} received nothing`)
  return us / came
}

/** The same of Node that receives and only counts. */
export const bareUs = (
  by: 'dgram' | 'recvmmsg',
  port: number,
  packets: number,
  send: () => Promise<void>
): Promise<number> => measured([process.execPath, bare, String(port), String(packets), by], send)

/** Undefined, with the reason said, where there is no C compiler. */
export async function yardstick(say: (line: string) => void): Promise<Yardstick | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'nexstream-bench-'))
  const program = join(folder, 'recv')
  try {
    await promisify(execFile)('cc', ['-O2', '-o', program, source])
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    say(`no yardstick: cc does not compile here (${(error as Error).message.split('\n')[0]}); goals are not scaled`)
    return undefined
  }
  return {
    close: () => rmSync(folder, { recursive: true, force: true }),
    measure: (port, packets, send) => measured([program, String(port), String(packets)], send)
  }
}
