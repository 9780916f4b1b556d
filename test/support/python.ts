// The Python that tests check against: a cached venv of exactly pinned packages, made on first use.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { createInterface } from 'node:readline'
import { venv } from '../../plugins/tools-dev/fetched/python.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const requirements = join(root, 'test/support/python/requirements.txt')

let ready: Promise<string> | undefined

/** Path of the venv's interpreter; makes the venv when this machine has none yet (about half a minute). */
export function python(): Promise<string> {
  ready ??= venv(requirements).catch((error: unknown) => {
    ready = undefined
    throw error
  })
  return ready
}

/** The same for Carbon, a Graphite server. */
export const carbonPython = (): Promise<string> => venv(join(root, 'test/support/python/carbon-requirements.txt'))

/** The same for MCAP's own reader. */
export const mcapPython = (): Promise<string> => venv(join(root, 'test/support/python/recording-requirements.txt'))

/** The same for the schemas of Kubernetes. */
export const kubernetesPython = (): Promise<string> =>
  venv(join(root, 'test/support/python/kubernetes-requirements.txt'))

/** The measurement of a chopper spectrometer that NeXpy brings: histograms of 148 detectors and two monitors, 2,845,033 counts. */
export async function chopperFile(): Promise<string> {
  const code = 'import importlib.util\nprint(importlib.util.find_spec("nexpy").submodule_search_locations[0])'
  return join((await runPython(code, [], undefined, mcapPython())).trim(), 'examples/chopper.nxs')
}

/**
 * Runs a script of the venv and gives what it printed.
 * `script` is a path or, when it has a line break, the Python text itself. Rejects with the script's stderr.
 */
export async function runPython(
  script: string,
  args: readonly string[] = [],
  stdin?: string | Uint8Array,
  environment = python()
) {
  const interpreter = await environment
  const program = script.includes('\n') ? ['-c', script] : [script]
  const child = spawn(interpreter, [...program, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  // A script that ends without reading its input is no error.
  child.stdin.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') err.push(Buffer.from(String(error)))
  })
  child.stdin.end(stdin ?? '')
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0) throw new Error(`Python ended with ${String(code)}: ${Buffer.concat(err).toString()}`)
  return Buffer.concat(out).toString()
}

export interface PythonLines {
  readonly child: ChildProcessWithoutNullStreams
  /** Sends JSON as one line; resolves with the JSON of the next line that comes, rejects when the script ends before. */
  readonly ask: (request: unknown) => Promise<unknown>
  /** Lets the script end, and waits for it. */
  readonly close: () => Promise<void>
}

/** A script that answers each line of its stdin by one of its stdout, in their order. It ends with its stdin, that is with us. */
export async function pythonLines(script: string, args: readonly string[] = []): Promise<PythonLines> {
  const child = spawn(await python(), [script, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  const waiting: { resolve: (answer: unknown) => void; reject: (error: Error) => void }[] = []
  let words = ''
  let end: string | undefined
  const over = (why: string): Error => new Error(`${script} ended: ${why} ${words}`)
  child.stderr.on('data', (text: Buffer) => (words += text.toString()))
  child.stdin.on('error', (error) => (words += error.message))
  const ended = new Promise<void>((resolve) => {
    const settle = (why: string): void => {
      end = why
      for (const { reject } of waiting.splice(0)) reject(over(why))
      resolve()
    }
    child.once('error', (error) => settle(error.message))
    child.once('close', (code) => settle(`exit code ${String(code)}`))
  })
  createInterface(child.stdout).on('line', (line) => waiting.shift()?.resolve(JSON.parse(line)))
  return {
    child,
    ask: (request) =>
      new Promise((resolve, reject) => {
        if (end !== undefined) return reject(over(end))
        waiting.push({ resolve, reject })
        child.stdin.write(`${JSON.stringify(request)}\n`)
      }),
    close: () => {
      child.stdin.end()
      return ended
    }
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.stdout.write(`${await python()}\n`)
}
