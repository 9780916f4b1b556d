// Reads NeXus files with independent readers (h5py, scippnexus, nexusformat): content by path, and everything wrong with a file.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { packageRoot } from '../../core/root.js'
import { pythonLines } from './python.js'

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

/** One Python for all files of a test process: the libraries take seconds to load. */
async function startReader(): Promise<Ask> {
  const { child, ask } = await pythonLines(join(packageRoot, 'test/support/python/read_nexus.py'))
  child.once('close', () => (reader = undefined))
  // It must not keep the test process alive; while an answer is awaited, mocha's timer does.
  child.unref()
  for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as unknown as { unref(): void }).unref()
  return (request) => ask(request) as Promise<Answer>
}
