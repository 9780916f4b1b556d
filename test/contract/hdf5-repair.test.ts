// repair() on files that were damaged on purpose; and that it leaves good ones alone.
import assert from 'node:assert/strict'
import { chmodSync, closeSync, copyFileSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs' // prettier-ignore
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNexusFile } from '../../plugins/service-filewriter/file/file.js'
import { repair } from '../../plugins/service-filewriter/file/repair.js'
import { treeOf } from '../../plugins/service-filewriter/file/tree.js'
import { summarise } from '../../plugins/service-filewriter/file/summary.js'
import { CodedError } from '../../core/api/plugin.js'
import { runPython } from '../support/python.js'
import { EVENTS, knownFile } from './hdf5-writer.js'

const lengths = `import h5py, json, sys
with h5py.File(sys.argv[1], 'r') as f:
    out = {}
    f.visititems(lambda name, item: out.update({name: len(item[()])}) if isinstance(item, h5py.Dataset) and item.shape else None)
print(json.dumps(out))
`
const read = async (file: string): Promise<Record<string, number>> =>
  JSON.parse(await runPython(lengths, [file])) as Record<string, number>

const h5pyEdit = `import h5py, json, sys
with h5py.File(sys.argv[1], 'r+') as f:
    for name, rows in json.loads(sys.argv[2]).items():
        f[name].resize(rows, axis=0)
print('done')
`

const PULSES = 200

/** Of one dataset: its rows, rows of a chunk, whether it is packed, and the chunks [first row, address, bytes]. */
interface Chunks {
  readonly rows: number
  readonly per: number
  readonly packed: boolean
  readonly chunks: readonly (readonly [number, number, number])[]
}
const storedChunks = `import h5py, json, sys
out = {}
def look(name, item):
    if isinstance(item, h5py.Dataset) and item.chunks:
        found = [item.id.get_chunk_info(i) for i in range(item.id.get_num_chunks())]
        out[name] = {'rows': len(item), 'per': item.chunks[0], 'packed': item.compression is not None,
                     'chunks': sorted([c.chunk_offset[0], c.byte_offset, c.size] for c in found)}
with h5py.File(sys.argv[1], 'r') as f:
    f.visititems(look)
print(json.dumps(out))
`
/** Rows of the copy; -1 where one is not as in the original. */
const keptRows = `import h5py, json, sys
out = {}
with h5py.File(sys.argv[1], 'r') as whole, h5py.File(sys.argv[2], 'r') as copy:
    def look(name, item):
        if isinstance(item, h5py.Dataset) and item.chunks:
            out[name] = len(item) if (item[()] == whole[name][:len(item)]).all() else -1
    copy.visititems(look)
print(json.dumps(out))
`

/** Up to the first chunk that ends behind the end of the file; of the last one only what is used counts. */
function wholeRows({ rows, per, packed, chunks }: Chunks, size: number): number {
  for (const [first, address, bytes] of chunks) {
    const used = packed ? bytes : (bytes * Math.min(per, rows - first)) / per
    if (address + used > size) return first
  }
  return rows
}

describe('repair', () => {
  let folder: string
  let file: string
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nexstream-hdf5-'))
    file = join(folder, 'file.nxs')
    const known = await knownFile(file, { fsync: 'never' })
    for (let i = 0; i < 40; i++) known.pulse()
    known.file.close()
  })
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  it('does not touch a good file', async () => {
    const before = readFileSync(file)
    assert.deepEqual(await repair(file), { path: file, actions: [], notes: [] })
    assert.ok(readFileSync(file).equals(before))
  })

  it('gives the columns of a group one length, and takes off indices that point behind the data', async () => {
    await runPython(h5pyEdit, [
      file,
      JSON.stringify({ 'entry/logs/log1/value': 31, 'entry/events/event_id': 20 * EVENTS })
    ])
    const { actions } = await repair(file)
    const found = await read(file)
    assert.equal(found['entry/logs/log1/time'], 31)
    assert.equal(found['entry/events/event_time_offset'], 20 * EVENTS)
    assert.equal(found['entry/events/event_index'], 21)
    assert.equal(found['entry/events/event_time_zero'], 21)
    assert.equal(found['entry/logs/log0/time'], 40)
    assert.equal(actions.length, 4)
    assert.deepEqual((await repair(file)).actions, [])
  })

  // Row D8
  for (const part of [0.5, 0.75, 0.99])
    it(`keeps all that is whole in the first ${100 * part} % of a file, and nothing else`, async () => {
      const known = await knownFile(join(folder, 'long.nxs'), { fsync: 'never' })
      for (let i = 0; i < PULSES; i++) {
        known.pulse()
        if (i % 20 === 19) known.file.checkpoint()
      }
      known.file.close()
      const size = Math.floor(statSync(known.file.path).size * part)
      const chunks = JSON.parse(await runPython(storedChunks, [known.file.path])) as Record<string, Chunks>
      const copy = join(folder, 'copy.nxs')
      copyFileSync(known.file.path, copy)
      chmodSync(copy, 0o644)
      truncateSync(copy, size)
      await repair(copy)
      const whole = (name: string): number => wholeRows(chunks[`entry/${name}`]!, size)
      const events = Math.min(whole('events/event_id'), whole('events/event_time_offset'))
      const index = Math.min(whole('events/event_index'), whole('events/event_time_zero'), Math.floor(events / EVENTS) + 1) // prettier-ignore
      const wanted: Record<string, number> = {
        'entry/frames': whole('frames'),
        ...{ 'entry/events/event_id': events, 'entry/events/event_time_offset': events },
        ...{ 'entry/events/event_index': index, 'entry/events/event_time_zero': index }
      }
      for (const log of [0, 1, 2, 3, 4].map((i) => `logs/log${i}`))
        for (const name of ['time', 'value'])
          wanted[`entry/${log}/${name}`] = Math.min(whole(`${log}/time`), whole(`${log}/value`))
      assert.ok(events > 0.4 * part * PULSES * EVENTS, 'most of what lies there is whole')
      // Each row is what it was
      const kept = JSON.parse(await runPython(keptRows, [known.file.path, copy])) as Record<string, number>
      assert.deepEqual(kept, wanted)
      assert.ok(statSync(copy).size <= statSync(known.file.path).size)
      assert.deepEqual((await repair(copy)).actions, [])
    })

  it('sets the end of file that a writer through the library did not get to', async () => {
    const other = join(folder, 'plain.nxs')
    const known = await knownFile(other, { backend: 'h5wasm', fsync: 'never' })
    for (let i = 0; i < 40; i++) known.pulse()
    known.file.close()
    const fd = openSync(other, 'r+')
    const end = Buffer.alloc(8)
    end.writeBigUInt64LE(4096n)
    writeSync(fd, end, 0, 8, 40)
    closeSync(fd)
    const { actions } = await repair(other)
    assert.match(actions[0] ?? '', /end of file set/)
    assert.equal((await read(other))['entry/events/event_id'], 40 * EVENTS)
  })

  it('refuses what is being written or is no HDF5 file', async () => {
    const open = await createNexusFile(join(folder, 'busy.nxs'))
    open.begin()
    await assert.rejects(repair(open.path), (error) => error instanceof CodedError && error.code === 'HDF5_LOCKED')
    open.close()
    const text = new URL('../../../package.json', import.meta.url).pathname
    await assert.rejects(repair(text), (error) => error instanceof CodedError && error.code === 'HDF5_FAILED')
  })
})

/** Made by others: contiguous, of fixed shape, with two filters, a scalar. */
const foreign = `
import h5py, numpy as np, sys
with h5py.File(sys.argv[1], "w", userblock_size=512) as file:
    entry = file.create_group("entry")
    entry.attrs["NX_class"] = "NXentry"
    def log(name, value, time, **how):
        group = entry.create_group(name)
        group.attrs["NX_class"] = "NXlog"
        group.create_dataset("value", data=value, **how)
        group.create_dataset("time", data=time, **how)
    times = np.arange(10, 17, dtype="u8")
    log("contiguous", np.arange(7.0), times)
    log("fixed", np.arange(7.0), times, chunks=(3,))
    log("packed", np.arange(7.0), times.astype("i8"), chunks=(3,), compression="gzip", shuffle=True)
    log("scalar", 1.5, np.uint64(3))
    for name, kind, start in [("seconds", "f8", "1970-01-01T00:00:01Z"), ("single", "f4", "1970-01-01T00:00:01"), ("undated", "f8", "?")]:
        log(name, np.arange(3.0), np.array([-0.5, 0, 2.5], dtype=kind))
        entry[name]["time"].attrs.update(units="second", start=start)
    events = entry.create_group("events")
    events.attrs["NX_class"] = "NXevent_data"
    events["event_id"] = np.arange(5, dtype=">i4")
    events["event_time_zero"] = times
`

describe('summarise', () => {
  it('counts in files of others, and says what is none', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nexstream-hdf5-'))
    try {
      const path = join(folder, 'foreign.nxs')
      await runPython(foreign, [path])
      const [entry] = (await summarise(path)).entries
      const rows = entry?.groups.map((group) => [group.path.slice(7), group.rows, group.firstNs, group.lastNs])
      assert.deepEqual(rows?.toSorted(), [
        ['contiguous', 7, 10n, 16n],
        ['events', 5, 10n, 16n],
        ['fixed', 7, 10n, 16n],
        ['packed', 7, 10n, 16n],
        ['scalar', 1, undefined, undefined],
        ['seconds', 3, 500_000_000n, 3_500_000_000n],
        ['single', 3, 500_000_000n, 3_500_000_000n],
        ['undated', 3, undefined, undefined]
      ])
      assert.deepEqual([entry?.events, entry?.logValues], [5, 31])
      const tree = new Map((await treeOf(path)).map((line) => [line.path, line]))
      assert.deepEqual(tree.get('/entry/events/event_id'), {
        path: '/entry/events/event_id',
        kind: 'dataset',
        dtype: 'int32 (big-endian)',
        shape: [5],
        attributes: []
      })
      assert.deepEqual(tree.get('/entry')?.attributes, [{ name: 'NX_class', text: 'NXentry' }])
      assert.deepEqual([tree.size, tree.get('/entry/scalar/value')?.shape], [25, []])
      const text = new URL('../../../package.json', import.meta.url).pathname
      await assert.rejects(summarise(text), /package.json is no HDF5 file/)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('counts entries, groups, events, log values and their times', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nexstream-hdf5-'))
    try {
      const path = join(folder, 'sum.nxs')
      const known = await knownFile(path, { fsync: 'never' })
      for (let i = 0; i < 12; i++) known.pulse()
      known.file.finish()
      known.file.group('/entry')?.dataset('title', 'a run', { dtype: 'string' })
      known.file.close()
      const summary = await summarise(path)
      assert.equal(summary.bytes, readFileSync(path).length)
      const [entry] = summary.entries
      assert.equal(entry?.path, '/entry')
      assert.equal(entry.title, 'a run')
      assert.equal(entry.events, 12 * EVENTS)
      assert.equal(entry.logValues, 12 * 5)
      assert.deepEqual([entry.firstNs, entry.lastNs], [0n, 11_000n])
      const events = entry.groups.find(({ nxClass }) => nxClass === 'NXevent_data')
      assert.deepEqual([events?.path, events?.rows, events?.pulses], ['/entry/events', 12 * EVENTS, 12])
      assert.equal(entry.groups.filter(({ nxClass }) => nxClass === 'NXlog').length, 5)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
