// The command line in this process: what it prints and how it ends, without the time that a process of its own takes.
import { main } from '../../commands/cli/program.js'

export interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** One at a time: it takes what this process prints meanwhile. */
export async function said(args: readonly string[]): Promise<Said> {
  const [stdout, stderr]: [string[], string[]] = [[], []]
  const take = (lines: string[]) => (chunk: string | Uint8Array) => {
    lines.push(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString())
    return true
  }
  const { stdout: out, stderr: err } = process
  // eslint-disable-next-line @typescript-eslint/unbound-method -- put back as they are
  const [writeOut, writeErr] = [out.write, err.write]
  out.write = take(stdout)
  err.write = take(stderr)
  try {
    const code = await main(['node', 'nexstream', ...args])
    return { code, stdout: stdout.join(''), stderr: stderr.join('') }
  } finally {
    out.write = writeOut
    err.write = writeErr
  }
}
