// Reads a NeXus file with independent readers (h5py, scippnexus): content by path, and everything that is wrong with it.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../core/root.js'
import { runPython } from './python.js'

/**
 * Content of a file at paths (`entry/x`, `entry@attribute`, `entry/x#dtype`); null where nothing is.
 * Fails when a reader finds anything wrong: unequal lengths, dangling links, times that are no datetimes.
 */
export async function readNexus(file: string, paths: readonly string[]): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(tmpdir(), 'nexstream-read-'))
  try {
    const list = join(folder, 'paths.json')
    writeFileSync(list, JSON.stringify(paths))
    const text = await runPython(join(packageRoot, 'test/support/python/read_nexus.py'), [file, list])
    const { content, troubles } = JSON.parse(text) as { content: Record<string, unknown>; troubles: string[] }
    assert.deepEqual(troubles, [], file)
    return content
  } finally {
    rmSync(folder, { recursive: true })
  }
}
