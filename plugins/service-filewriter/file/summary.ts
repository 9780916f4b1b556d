// What a NeXus file holds, in short: for `nexstream show FILE`.
import { type Stats, statSync } from 'node:fs'
import { CodedError } from '../../../core/api/plugin.js'
import { Disk } from './disk.js'
import { WasmFile } from './wasm.js'

export interface GroupSummary {
  readonly path: string
  readonly nxClass: string
  /** Events of an NXevent_data, values of an NXlog; 0 for others. */
  readonly rows: number
  /** Pulses of an NXevent_data. */
  readonly pulses: number
  /** ns since the Unix epoch, of the first and last row; undefined without rows, or for times that are neither ns nor seconds since a moment. */
  readonly firstNs: bigint | undefined
  readonly lastNs: bigint | undefined
}

export interface EntrySummary {
  readonly path: string
  readonly title: string | undefined
  readonly startTime: string | undefined
  readonly endTime: string | undefined
  readonly groups: readonly GroupSummary[]
  readonly events: number
  readonly logValues: number
  readonly firstNs: bigint | undefined
  readonly lastNs: bigint | undefined
}

export interface FileSummary {
  readonly path: string
  readonly bytes: number
  readonly entries: readonly EntrySummary[]
}

const TIMES = ['event_time_zero', 'time']

/**
 * Reads entries, groups with NX_class, numbers of events and log values and their time ranges.
 * @throws CodedError FILE_READ, HDF5_FAILED
 */
export async function summarise(path: string): Promise<FileSummary> {
  const { file, bytes } = await openToRead(path)
  try {
    const top = file.children('/').map((name) => `/${name}`)
    const groups = top.filter((name) => file.kind(name) === 'group')
    const entries = groups.filter((name) => file.attributeText(name, 'NX_class') === 'NXentry')
    return { path, bytes, entries: (entries.length > 0 ? entries : groups).map((name) => entryOf(file, name)) }
  } finally {
    file.close()
  }
}

/** A file with its bytes. Throws CodedError FILE_READ, HDF5_FAILED. */
export async function openToRead(path: string): Promise<{ file: WasmFile; bytes: number }> {
  const bytes = sizeOf(path)
  if (!isHdf5(path)) throw new CodedError('FILE_READ', `${path} is no HDF5 file`)
  return { file: (await WasmFile.library())(path, 'read'), bytes }
}

/** Of a file, in bytes. Throws CodedError FILE_READ for what is none. */
export function sizeOf(path: string): number {
  let found: Stats
  try {
    found = statSync(path)
  } catch (error) {
    throw new CodedError('FILE_READ', `${path} cannot be read: ${(error as Error).message}`, { cause: error })
  }
  if (found.isDirectory()) throw new CodedError('FILE_READ', `${path} is a folder; name a file in it`)
  return found.size
}

/** The signature stands at 0, or behind a user block of 512 bytes times a power of two. Throws CodedError FILE_READ. */
export function isHdf5(path: string): boolean {
  const disk = new Disk(path, 'read')
  try {
    for (let at = 0; at + 8 <= disk.size; at = at === 0 ? 512 : 2 * at)
      if (disk.read(8, at, 'signature').toString('latin1') === '\x89HDF\r\n\x1a\n') return true
    return false
  } finally {
    disk.close()
  }
}

function entryOf(file: WasmFile, path: string): EntrySummary {
  const groups: GroupSummary[] = []
  const seen = new Set<number>([file.address(path)])
  const todo = [path]
  for (const group of todo) {
    groups.push(groupOf(file, group))
    for (const name of file.children(group)) {
      const child = `${group}/${name}`
      if (file.kind(child) !== 'group') continue
      const address = file.address(child)
      if (!seen.has(address)) todo.push(child)
      seen.add(address)
    }
  }
  const sum = (nxClass: string): number =>
    groups.reduce((total, group) => total + (group.nxClass === nxClass ? group.rows : 0), 0)
  const firsts = groups.flatMap(({ firstNs }) => (firstNs === undefined ? [] : [firstNs]))
  const lasts = groups.flatMap(({ lastNs }) => (lastNs === undefined ? [] : [lastNs]))
  return {
    path,
    title: textOf(file, `${path}/title`),
    startTime: textOf(file, `${path}/start_time`),
    endTime: textOf(file, `${path}/end_time`),
    groups: groups.slice(1),
    events: sum('NXevent_data'),
    logValues: sum('NXlog'),
    firstNs: firsts.reduce<bigint | undefined>((a, b) => (a === undefined || b < a ? b : a), undefined),
    lastNs: lasts.reduce<bigint | undefined>((a, b) => (a === undefined || b > a ? b : a), undefined)
  }
}

const textOf = (file: WasmFile, path: string): string | undefined =>
  file.kind(path) === 'dataset' ? file.text(path) : undefined

function groupOf(file: WasmFile, path: string): GroupSummary {
  const nxClass = file.attributeText(path, 'NX_class') ?? ''
  const names = new Set(file.children(path))
  const rowsOf = (name: string): number => {
    const isThere = names.has(name) && file.kind(`${path}/${name}`) === 'dataset'
    // One value of a log may be a scalar
    return isThere ? (file.form(`${path}/${name}`)?.shape ?? [0]).concat(1)[0]! : 0
  }
  const rows =
    nxClass === 'NXevent_data'
      ? Math.max(rowsOf('event_id'), rowsOf('event_time_offset'))
      : nxClass === 'NXlog'
        ? rowsOf('value')
        : 0
  const times = TIMES.find((name) => rowsOf(name) > 0)
  const range = rows > 0 && times !== undefined ? rangeOf(file, `${path}/${times}`) : undefined
  const pulses = nxClass === 'NXevent_data' ? rowsOf('event_time_zero') : 0
  return { path, nxClass, rows, pulses, firstNs: range?.[0], lastNs: range?.[1] }
}

/** First and last element of a column of times in ns. */
function rangeOf(file: WasmFile, path: string): [bigint, bigint] | undefined {
  const units = file.attributeText(path, 'units')
  const { shape, dtype } = file.form(path) ?? { shape: [], dtype: undefined }
  if (shape.length !== 1) return undefined
  if (dtype === 'float64' || dtype === 'float32') return rangeOfSeconds(file, path, shape[0] ?? 0)
  if ((dtype !== 'int64' && dtype !== 'uint64') || (units !== undefined && units !== 'ns')) return undefined
  const layout = { dtype, row: [], chunk: 1, filters: [] }
  const at = (row: number): bigint => file.read(path, row, 1, layout).readBigInt64LE(0)
  return [at(0), at((shape[0] ?? 1) - 1)]
}

/** The same of seconds since the moment that an attribute tells, as files for Mantid and those of ISIS have them. */
function rangeOfSeconds(file: WasmFile, path: string, length: number): [bigint, bigint] | undefined {
  const text = file.attributeText(path, 'offset') ?? file.attributeText(path, 'start')
  const { dtype } = file.form(path) ?? {}
  if (!/^s(econds?)?$/.test(file.attributeText(path, 'units') ?? '') || text === undefined || dtype === undefined)
    return undefined
  // Without a zone it is that of Greenwich
  const startMs = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`)
  if (Number.isNaN(startMs)) return undefined
  const layout = { dtype, row: [], chunk: 1, filters: [] }
  const at = (row: number): number => {
    const bytes = file.read(path, row, 1, layout)
    return dtype === 'float64' ? bytes.readDoubleLE(0) : bytes.readFloatLE(0)
  }
  const [first, last] = [at(0), at(length - 1)]
  if (!Number.isFinite(first) || !Number.isFinite(last)) return undefined
  const ns = (seconds: number): bigint => BigInt(Math.round(startMs * 1000 + seconds * 1e6)) * 1000n
  return [ns(first), ns(last)]
}
