// What does it cost to bring events and logs into an HDF5 file? Yardsticks: the same bytes by plain writes, and h5py.
// Each way runs in a process of its own, interleaved; see --help.
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createNexusFile, type NexusFile } from '../plugins/service-filewriter/file/file.js'
import { python } from '../test/support/python.js'
import { random } from '../test/support/random.js'
import { conditions, type Cost, costOf, stopwatch, table } from './support/report.js'
import { type Column, type ColumnOptions } from '../plugins/service-filewriter/writer-part.js'

const EVENTS = 120_000
const LOGS = 1000
const VALUES = 1000
const GROUPS = 5000
const h5pyScript = fileURLToPath(new URL('../../test/support/python/hdf5/bench.py', import.meta.url))

const help = `node dist/bench/hdf5-write.js [--rounds 3] [--gb 1] [--only TITLE] [--folder DIR …] [--json FILE]

CPU seconds of writing events (1 MB appends), log values (1,000 groups) and the structure of 5,000 groups.
--only    tables whose title begins so
--rounds  repeats of each way, interleaved
--gb      size of the event file
--folder  where to write; may be given several times; default: /dev/shm and the temporary folder
--json    also write all figures there`

function measured(units: number, work: () => void): Cost {
  const stop = stopwatch()
  work()
  return stop(units)
}

/** 16 messages in one buffer, as a Fetch response holds them: nothing is aligned. */
function messages(): { id: Buffer; tof: Buffer }[] {
  return Array.from({ length: 16 }, (_, i) => {
    const bytes = Buffer.alloc(8 * EVENTS + 104, i).subarray(99)
    return { id: bytes.subarray(0, 4 * EVENTS), tof: bytes.subarray(4 * EVENTS, 8 * EVENTS) }
  })
}

async function events(path: string, gb: number, backend: 'direct' | 'h5wasm'): Promise<Cost> {
  const pool = messages()
  const count = Math.round((gb * 1e9) / (8 * EVENTS))
  const file = await createNexusFile(path, { backend, fsync: 'never' })
  return measured((count * 8 * EVENTS) / 1e9, () => {
    const group = file.root.group('entry').group('events', { NX_class: 'NXevent_data' })
    const id = group.column('event_id', { dtype: 'int32', bulk: true })
    const tof = group.column('event_time_offset', { dtype: 'int32', bulk: true })
    const zero = group.column('event_time_zero', { dtype: 'uint64', index: true })
    const index = group.column('event_index', { dtype: 'uint64', index: true })
    file.begin()
    for (let i = 0; i < count; i++) {
      const message = pool[i % pool.length] as (typeof pool)[number]
      id.append(message.id)
      tof.append(message.tof)
      zero.appendNumber(i * 71_428_571)
      index.appendNumber(i * EVENTS)
      if (i % 500 === 499) file.checkpoint()
    }
    file.finish()
    file.close()
  })
}

/** Events of one pulse: times that ascend, pixels around a spot of a detector of 1024². */
function pulses(): { id: Buffer; tof: Buffer }[] {
  const below = random(1)
  const near = (): number => (below(256) + below(256) + below(256) + below(256)) | 0
  return Array.from({ length: 16 }, () => {
    let time = 0
    const tof = Int32Array.from({ length: EVENTS }, () => (time += below(1190)))
    const id = Int32Array.from({ length: EVENTS }, () => 1 + near() * 1024 + near())
    return { id: Buffer.from(id.buffer), tof: Buffer.from(tof.buffer) }
  })
}

interface PackedCost extends Cost {
  /** Bytes of the file per byte of events. */
  readonly share?: number
}

async function packed(path: string, gb: number, compression: ColumnOptions['compression']): Promise<PackedCost> {
  const pool = pulses()
  const count = Math.round((gb * 1e9) / (8 * EVENTS))
  const file = await createNexusFile(path, { fsync: 'never' })
  const cost = measured((count * 8 * EVENTS) / 1e9, () => {
    const group = file.root.group('events', { NX_class: 'NXevent_data' })
    const options = { dtype: 'int32', bulk: true, ...(compression && { compression }) } as const
    const id = group.column('event_id', options)
    const tof = group.column('event_time_offset', options)
    file.begin()
    for (let i = 0; i < count; i++) {
      const message = pool[i % pool.length] as (typeof pool)[number]
      id.append(message.id)
      tof.append(message.tof)
    }
    file.finish()
    file.close()
  })
  return { ...cost, share: statSync(path).size / (count * 8 * EVENTS) }
}

function raw(path: string, gb: number): Cost {
  const pool = messages()
  const count = Math.round((gb * 1e9) / (8 * EVENTS))
  return measured((count * 8 * EVENTS) / 1e9, () => {
    const fd = openSync(path, 'w')
    let at = 0
    for (let i = 0; i < count; i++) {
      const message = pool[i % pool.length] as (typeof pool)[number]
      for (const bytes of [message.id, message.tof]) at += writeSync(fd, bytes, 0, bytes.length, at)
    }
    closeSync(fd)
  })
}

function logGroups(file: NexusFile, count: number): [Column, Column][] {
  const entry = file.root.group('entry', { NX_class: 'NXentry' })
  return Array.from({ length: count }, (_, i) => {
    const group = entry.group(`log_${i}`, { NX_class: 'NXlog' })
    const value = group.column('value', { dtype: 'float64', attributes: { units: 'K' } })
    const time = group.column('time', {
      dtype: 'uint64',
      index: true,
      attributes: { units: 'ns', start: '1970-01-01T00:00:00Z' }
    })
    return [value, time]
  })
}

async function logs(path: string, backend: 'direct' | 'h5wasm'): Promise<Cost> {
  const file = await createNexusFile(path, { backend, fsync: 'never' })
  const columns = logGroups(file, LOGS)
  file.begin()
  const stamp = 1_700_000_000_000_000_000n
  return measured(LOGS * VALUES, () => {
    for (let round = 0; round < VALUES; round++) {
      const time = stamp + BigInt(round) * 1_000_000n
      for (const [value, times] of columns) {
        value.appendNumber(round * 0.5)
        times.appendBigInt(time)
      }
      if (round % 100 === 99) file.checkpoint()
    }
    file.finish()
    file.close()
  })
}

async function structure(path: string, backend: 'direct' | 'h5wasm'): Promise<Cost> {
  const file = await createNexusFile(path, { backend, fsync: 'never' })
  const cost = measured(GROUPS, () => {
    const entry = file.root.group('entry', { NX_class: 'NXentry' })
    for (let i = 0; i < GROUPS; i++) {
      const group = entry.group(`log_${i}`, { NX_class: 'NXlog' })
      group.column('value', { dtype: 'float64', attributes: { units: 'K' } })
      group.column('time', { dtype: 'uint64', index: true, attributes: { units: 'ns', start: '1970-01-01T00:00:00Z' } })
      group.column('cue_timestamp_zero', { dtype: 'uint64', index: true, attributes: { units: 'ns' } })
      group.column('cue_index', { dtype: 'uint64', index: true })
    }
    file.begin()
  })
  file.close()
  return cost
}

type Way = (path: string, gb: number) => Cost | Promise<Cost>
const h5py =
  (what: string): Way =>
  async (path, gb) =>
    costOf(await python(), [h5pyScript, what, path, String(gb)])

const ways: Record<string, Record<string, Way>> = {
  'events (CPU s per GB)': {
    'raw positioned writes': raw,
    direct: (path, gb) => events(path, gb, 'direct'),
    h5wasm: (path, gb) => events(path, gb, 'h5wasm'),
    'h5py, a message at a time': h5py('events')
  },
  'packed events (CPU s per GB)': {
    plain: (path, gb) => packed(path, gb, undefined),
    'gzip 1': (path, gb) => packed(path, gb, { filter: 'gzip', level: 1 }),
    'gzip 1, shuffle': (path, gb) => packed(path, gb, { filter: 'gzip', level: 1, shuffle: true }),
    'zstd 1': (path, gb) => packed(path, gb, { filter: 'zstd', level: 1 }),
    'zstd 1, shuffle': (path, gb) => packed(path, gb, { filter: 'zstd', level: 1, shuffle: true }),
    lz4: (path, gb) => packed(path, gb, { filter: 'lz4' }),
    'lz4, shuffle': (path, gb) => packed(path, gb, { filter: 'lz4', shuffle: true }),
    bitshuffle: (path, gb) => packed(path, gb, { filter: 'bitshuffle' })
  },
  'log values in 1,000 groups (CPU µs per pair of value and time)': {
    direct: (path) => logs(path, 'direct'),
    h5wasm: (path) => logs(path, 'h5wasm'),
    'h5py, 100 at a time': h5py('logs100'),
    'h5py, one at a time (20 rounds)': h5py('logs1')
  },
  'structure of 5,000 groups with 4 datasets (CPU ms per group)': {
    direct: (path) => structure(path, 'direct'),
    h5wasm: (path) => structure(path, 'h5wasm'),
    h5py: h5py('structure')
  }
}
const scales: Record<string, number> = { events: 1, packed: 1, log: 1e6, structure: 1e3 }

type Results = Record<string, Record<string, Record<string, Cost[]>>>

async function main(rounds: number, gb: number, folders: readonly string[], only: string): Promise<Results> {
  const results: Results = {}
  console.log(conditions())
  for (const parent of folders) {
    console.log(`\n## ${parent}`)
    for (const [title, group] of Object.entries(ways).filter(([title]) => title.startsWith(only))) {
      const costs = Object.fromEntries(Object.keys(group).map((name): [string, Cost[]] => [name, []]))
      for (let round = 0; round < rounds; round++) {
        for (const name of Object.keys(group)) {
          const folder = mkdtempSync(join(parent, 'nexstream-bench-'))
          try {
            const args = [fileURLToPath(import.meta.url), 'one', title, name, join(folder, 'file.nxs'), String(gb)]
            costs[name]?.push(await costOf(process.execPath, args))
          } finally {
            rmSync(folder, { recursive: true, force: true })
          }
        }
      }
      const rows = Object.entries(costs).map(([name, runs]: [string, readonly PackedCost[]]) => {
        const share = runs[0]?.share
        return { name: share === undefined ? name : `${name} (${Math.round(100 * share)} % of the size)`, runs }
      })
      console.log(`\n${table(title, rows, scales[title.split(' ')[0] ?? ''] ?? 1)}`)
      results[parent] = { ...results[parent], [title]: costs }
    }
  }
  return results
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    gb: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    folder: { type: 'string', multiple: true },
    json: { type: 'string' },
    help: { type: 'boolean', short: 'h' }
  }
})
if (values.help) console.log(help)
else if (positionals[0] === 'one') {
  const [, title = '', name = '', path = '', gb = '1'] = positionals
  console.log(JSON.stringify(await ways[title]?.[name]?.(path, Number(gb))))
} else {
  const places = values.folder ?? ['/dev/shm', tmpdir()].filter((folder) => existsSync(folder))
  const results = await main(Number(values.rounds), Number(values.gb), places, values.only)
  if (values.json !== undefined)
    writeFileSync(values.json, JSON.stringify({ conditions: conditions(), results }, null, 1))
}
