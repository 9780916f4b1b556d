// Events and logs of a NeXus file of whatever origin, row by row with bounded memory: for those who send them again.
import { CodedError } from '../../../core/api/plugin.js'
import { beamOf, histogramOf } from './histograms.js'
import { type CountedHistogram, sampled, type Sampling } from './sampled.js'
import { type EventsPlayed, type LogPlayed, NumberRows, scaleOf, FileTimes, Unplayable } from './rows.js'
import { openToRead } from './summary.js'
import { type WasmFile } from './wasm.js'

export interface FilePlayed {
  readonly groups: readonly (EventsPlayed | LogPlayed)[]
  /** Groups that cannot be played, and why. */
  readonly notes: readonly string[]
  close(): void
}

/** Histograms of a file without any events become events. Throws CodedError FILE_READ, HDF5_FAILED. */
export async function playedFile(path: string, sampling: Sampling): Promise<FilePlayed> {
  const { file } = await openToRead(path)
  const groups: (EventsPlayed | LogPlayed)[] = []
  const notes: string[] = []
  const seen = new Set<number>()
  const todo = ['/']
  for (const group of todo) {
    if (seen.has(file.address(group))) continue
    seen.add(file.address(group))
    try {
      const found = groupOf(file, group)
      if (found !== undefined) groups.push(found)
    } catch (error) {
      if (!(error instanceof Unplayable)) throw error
      notes.push(`${group} is not played: ${error.message}`)
    }
    for (const name of file.children(group)) {
      const child = group === '/' ? `/${name}` : `${group}/${name}`
      if (!file.isLink(child) && file.kind(child) === 'group') todo.push(child)
    }
  }
  if (!groups.some(({ kind }) => kind === 'events')) groups.push(...eventsOfHistograms(file, todo, sampling, notes))
  return { groups, notes, close: () => file.close() }
}

function eventsOfHistograms(
  file: WasmFile,
  groups: readonly string[],
  sampling: Sampling,
  notes: string[]
): EventsPlayed[] {
  // prettier-ignore
  const counted = new Set<number>()
  const histograms = groups.flatMap((group): CountedHistogram[] => {
    try {
      const found = histogramOf(file, group, counted)
      return found === undefined ? [] : [found]
    } catch (error) {
      if (!(error instanceof Unplayable)) throw error
      notes.push(`${group} is not played: ${error.message}`)
      return []
    }
  })
  if (histograms.length === 0) return []
  const beam = beamOf(file)
  return histograms.map((histogram) => sampled(histogram, sampling, beam))
}

function groupOf(file: WasmFile, path: string): EventsPlayed | LogPlayed | undefined {
  const nxClass = file.attributeText(path, 'NX_class')
  if (nxClass === 'NXevent_data') return eventsOf(file, path)
  return nxClass === 'NXlog' ? logOf(file, path) : undefined
}

function eventsOf(file: WasmFile, path: string): EventsPlayed {
  const zero = new FileTimes(file, `${path}/event_time_zero`, 'offset')
  const index = new NumberRows(file, `${path}/event_index`)
  const offset = new NumberRows(file, `${path}/event_time_offset`)
  const scale = Number(scaleOf(file, `${path}/event_time_offset`))
  const id = file.kind(`${path}/event_id`) === 'dataset' ? new NumberRows(file, `${path}/event_id`) : undefined
  if (index.count !== zero.count) throw new Unplayable(`${zero.count} pulses have ${index.count} indices`)
  if (id !== undefined && id.count !== offset.count) throw new Unplayable(`${offset.count} events have ${id.count} ids`)
  const wrong = (pulse: number): CodedError =>
    new CodedError('FILE_READ', `${file.path}: ${path}: pulse ${pulse} points to events that there are not`)
  return {
    kind: 'events',
    path,
    count: zero.count,
    *rows() {
      for (let pulse = 0; pulse < zero.count; pulse++) {
        const from = Number(index.at(pulse))
        const to = pulse + 1 < index.count ? Number(index.at(pulse + 1)) : offset.count
        if (!(from >= 0 && to >= from && to <= offset.count)) throw wrong(pulse)
        const timeOfFlight = integers(offset.slice(from, to - from), scale, `${path}/event_time_offset`)
        const pixelId =
          id === undefined ? new Int32Array(0) : integers(id.slice(from, to - from), 1, `${path}/event_id`)
        yield { timeNs: zero.at(pulse), timeOfFlight, pixelId }
      }
    }
  }
}

function logOf(file: WasmFile, path: string): LogPlayed {
  const value = new NumberRows(file, `${path}/value`)
  const time = new FileTimes(file, `${path}/time`, 'start')
  if (value.count !== time.count) throw new Unplayable(`${time.count} times for ${value.count} values`)
  return {
    kind: 'log',
    path,
    count: time.count,
    dtype: value.dtype,
    size: value.width,
    units: file.attributeText(`${path}/value`, 'units'),
    *rows() {
      for (let i = 0; i < time.count; i++) yield { timeNs: time.at(i), values: value.slice(i, 1) }
    }
  }
}

/** Throws CodedError FILE_READ for what is no 32-bit integer. */
function integers(values: ArrayLike<number | bigint>, scale: number, path: string): Int32Array {
  const out = new Int32Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const value = Math.round(Number(values[i]) * scale)
    out[i] = value
    if (out[i] !== value) throw new CodedError('FILE_READ', `${path}: ${value} does not fit into 32 bits`)
  }
  return out
}
