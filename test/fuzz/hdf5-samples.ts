// Small HDF5 files of ours for fuzzing, and a place where a damaged one lies.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNexusFile } from '../../plugins/service-filewriter/file/file.js'
import { WasmFile } from '../../plugins/service-filewriter/file/wasm.js'
import { type Target } from './target.js'

const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'nexstream-fuzz-file-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

/** A file of these bytes; the same path each time. */
export function fileOf(bytes: Uint8Array): string {
  const path = join(folder, 'file.nxs')
  writeFileSync(path, bytes)
  return path
}

export interface Hdf5Sample {
  readonly bytes: Buffer
  /** Addresses of its datasets. */
  readonly datasets: readonly number[]
}

/** A new file, and one that the library has changed. */
export async function hdf5Samples(): Promise<Hdf5Sample[]> {
  const made = join(folder, 'made.nxs')
  const file = await createNexusFile(made, { fsync: 'never' })
  const entry = file.root.group('entry', { NX_class: 'NXentry' })
  const events = entry.group('events', { NX_class: 'NXevent_data' })
  const columns = [
    events.column('event_id', { dtype: 'uint32', chunk: 8 }),
    events.column('event_time_offset', { dtype: 'uint32', chunk: 8, compression: { filter: 'gzip' } }),
    events.column('event_time_zero', { dtype: 'uint64', index: true, chunk: 4 }),
    events.column('event_index', { dtype: 'uint64', index: true, chunk: 4, compression: { filter: 'zstd' } })
  ]
  const frames = entry.column('frames', { dtype: 'uint16', row: [2], chunk: 4 })
  entry.dataset('title', 'a title', { dtype: 'string' })
  file.begin()
  for (let i = 0; i < 9; i++) columns.forEach((column) => column.appendNumber(i))
  for (let i = 0; i < 9; i++) frames.append(new Uint8Array([i, 0, i, 0]))
  file.close()
  const first = readFileSync(made)
  const datasets = async (): Promise<number[]> => {
    const open = (await WasmFile.library())(made, 'read')
    const names = ['event_id', 'event_time_offset', 'event_time_zero', 'event_index'].map(
      (name) => `/entry/events/${name}`
    )
    const found = [...names, '/entry/frames', '/entry/title'].map((path) => open.address(path))
    open.close()
    return found
  }
  const samples = [{ bytes: first, datasets: await datasets() }]
  const library = (await WasmFile.library())(made, 'change')
  library.column('/entry/late', { dtype: 'float64', row: [], chunk: 4, filters: [{ id: 1, values: [1] }] })
  library.close()
  samples.push({ bytes: readFileSync(made), datasets: await datasets() })
  rmSync(made)
  return samples
}

/** What targets have in common that open whole files. */
export const hdf5Input = {
  maxLength: 16_384,
  // The HDF5 library is loaded anew after each of its errors
  maxBytes: 256 << 20,
  maxSteps: 2_000_000,
  seeds: async () => (await hdf5Samples()).map(({ bytes }) => bytes)
} satisfies Partial<Target>
