// NeXus files made by plugins/service-filewriter/file in tests, and all that h5py finds in them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNexusFile, type NexusFile } from '../../plugins/service-filewriter/file/file.js'
import { runPython } from './python.js'

const dump = new URL('../../../test/support/python/hdf5/dump.py', import.meta.url).pathname

/** A group or dataset as dump.py tells it. */
export interface Dumped {
  attributes: Record<string, [string, unknown]>
  dtype?: string
  shape?: number[]
  maxshape?: (number | null)[]
  chunks?: number[] | null
  value?: unknown
  links?: Record<string, string[]>
}

/** What h5py reads, by path. */
export const dumpFile = async (path: string): Promise<Record<string, Dumped | undefined>> =>
  JSON.parse(await runPython(dump, [path])) as Record<string, Dumped | undefined>

/** Before each test of this `describe`: a new file in a folder of its own. */
export function newFiles(backend: 'direct' | 'h5wasm'): { file: NexusFile; path: string; folder: string } {
  const made = {} as { file: NexusFile; path: string; folder: string }
  beforeEach(async () => {
    made.folder = mkdtempSync(join(tmpdir(), 'nexstream-hdf5-'))
    made.path = join(made.folder, 'file.nxs')
    made.file = await createNexusFile(made.path, { backend, fsync: 'never' })
  })
  afterEach(() => {
    made.file.close()
    rmSync(made.folder, { recursive: true, force: true })
  })
  return made
}
