// The loop in C that only receives: compiled in the run, where there is a compiler.
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
    measure: async (port, packets, send) => {
      const child = spawn(program, [String(port), String(packets)], { stdio: ['ignore', 'pipe', 'inherit'] })
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
      if ((await lines.next()).value !== 'ready') throw new Error('the loop in C cannot open its port')
      await send()
      const { value } = (await lines.next()) as { value: string | undefined }
      const [came = 0, us = 0] = (value ?? '').split(' ').map(Number)
      if (came === 0) throw new Error('the loop in C received nothing')
      return us / came
    }
  }
}
