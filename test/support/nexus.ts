// Reads NeXus files with independent readers (h5py, scippnexus, nexusformat): content by path, and everything wrong with a file.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { packageRoot } from '../../core/root.js'
import { python } from './python.js'

interface Answer {
  readonly content?: Record<string, unknown>
  readonly troubles?: readonly string[]
  readonly error?: string
}
type Ask = (request: object) => Promise<Answer>

let reader: Promise<Ask> | undefined

/**
 * Content of a file at paths (`entry/x`, `entry@attribute`, `entry/x#dtype`); null where nothing is.
 * Fails when a reader finds anything wrong: unequal lengths, indices that point nowhere, dangling links, times that are no
 * datetimes, a file that cannot be plotted at once, whatever the NeXus validator says.
 */
export async function readNexus(file: string, paths: readonly string[]): Promise<Record<string, unknown>> {
  const { content, troubles } = await examineNexus(file, paths)
  assert.deepEqual(troubles, [], file)
  return content
}

/** As `readNexus`, for files that are meant to have something wrong. */
export async function examineNexus(
  file: string,
  paths: readonly string[]
): Promise<{ content: Record<string, unknown>; troubles: readonly string[] }> {
  reader ??= startReader()
  const { content, troubles, error } = await (await reader)({ file, paths })
  if (content === undefined || troubles === undefined) throw new Error(`${file} cannot be read: ${error}`)
  return { content, troubles }
}

/** One Python for all files of a test process: the libraries take seconds to load. It ends with its stdin, that is with us. */
async function startReader(): Promise<Ask> {
  const script = join(packageRoot, 'test/support/python/read_nexus.py')
  const child = spawn(await python(), [script], { stdio: ['pipe', 'pipe', 'pipe'] })
  const waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void }[] = []
  let words = ''
  child.stderr.on('data', (text: Buffer) => (words += text.toString()))
  child.stdin.on('error', (error) => (words += error.message))
  const ended = (why: string): void => {
    reader = undefined
    for (const { reject } of waiting.splice(0)) reject(new Error(`the reader of NeXus files ended: ${why} ${words}`))
  }
  child.once('error', (error) => ended(error.message))
  child.once('close', (code) => ended(`exit code ${String(code)}`))
  createInterface(child.stdout).on('line', (line) => waiting.shift()?.resolve(JSON.parse(line) as Answer))
  // It must not keep the test process alive; while an answer is awaited, mocha's timer does.
  child.unref()
  for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as unknown as { unref(): void }).unref()
  return (request) =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject })
      child.stdin.write(`${JSON.stringify(request)}\n`)
    })
}
