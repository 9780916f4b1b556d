// A NeXus file as something to play: events as ev44, logs as f144, merged by time; and the command that writes it again.
import { writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { CodedError, errorText, writeJson } from '../../core/api/plugin.js'
import { encodeMessage, type FieldInput, type Vector, type VectorType } from '../../schemas/index.js'
import {
  type EventsPlayed,
  type LogPlayed,
  type PlayedNumbers,
  playedFile,
  type Sampling,
  structureOfFile,
  type StreamOf
} from '../service-filewriter/nexus-kit.js'
import { isSelected, type LookedThrough, type Played, type Selection } from './played.js'
import { type RecordedMessage } from './recorded.js'
import { namesFile } from './recording-kit.js'

/** Topics of a file, which knows none of its own. */
const topicOf = { events: 'events', log: 'logs' } as const

type PlayedSource = EventsPlayed | LogPlayed

const unionNames: Readonly<Record<VectorType, string>> = {
  int8: 'Byte', uint8: 'UByte', int16: 'Short', uint16: 'UShort', int32: 'Int', uint32: 'UInt', int64: 'Long', uint64: 'ULong',
  float32: 'Float', float64: 'Double'
} // prettier-ignore

/** Whether a word of the command line names a NeXus file, not a topic. */
export const isNexus = (word: string): boolean => namesFile(word, /\.(nxs|nx5|h5|hdf5?|nxspe)$/i)

/** Path in the file without the first slash: it is the only name that a group surely has. */
const sourceOf = ({ path }: PlayedSource): string => path.slice(1)

interface PlayedHead {
  readonly timeNs: bigint
  readonly message: () => RecordedMessage
}

const vectorOf = (dtype: VectorType, { buffer, byteOffset, byteLength, length }: PlayedNumbers): Vector => ({
  dtype,
  length,
  bytes: new Uint8Array(buffer, byteOffset, byteLength)
})

/** The messages of one group, made when it is their turn. */
function* messagesOf(group: PlayedSource): Generator<PlayedHead> {
  const source_name = sourceOf(group)
  const topic = topicOf[group.kind]
  let offset = 0
  const messageOf = (timeNs: bigint, value: () => Buffer): PlayedHead => ({
    timeNs,
    message: () => ({
      topic,
      partition: 0,
      offset: offset++,
      timestampMs: Number(timeNs / 1_000_000n),
      isAppendTime: false,
      key: Buffer.from(source_name),
      headers: [],
      value: value()
    })
  })
  if (group.kind === 'events') {
    let message_id = 0
    for (const { timeNs, timeOfFlight, pixelId } of group.rows()) {
      const [time_of_flight, pixel_id] = [vectorOf('int32', timeOfFlight), vectorOf('int32', pixelId)]
      const id = message_id++
      const fields = { source_name, reference_time: [timeNs], reference_time_index: [0], time_of_flight, pixel_id }
      yield messageOf(timeNs, () => encodeMessage('ev44', { ...fields, message_id: id }))
    }
    return
  }
  const name = unionNames[group.dtype]
  for (const { timeNs, values } of group.rows()) {
    const value: FieldInput =
      group.size === undefined
        ? { type: name, value: { value: values[0]! } }
        : { type: `Array${name}`, value: { value: vectorOf(group.dtype, values) } }
    yield messageOf(timeNs, () => encodeMessage('f144', { source_name, timestamp: timeNs, value }))
  }
}

/** The earliest of all groups first. */
function* merged(groups: readonly PlayedSource[]): Generator<RecordedMessage> {
  const lanes = groups.flatMap((group) => {
    const rows = messagesOf(group)
    const next = rows.next()
    return next.done === true ? [] : [{ rows, head: next.value }]
  })
  while (lanes.length > 0) {
    let first = 0
    for (let i = 1; i < lanes.length; i++) if (lanes[i]!.head.timeNs < lanes[first]!.head.timeNs) first = i
    const lane = lanes[first]!
    yield lane.head.message()
    const next = lane.rows.next()
    if (next.done === true) lanes.splice(first, 1)
    else lane.head = next.value
  }
}

export interface NexusPlayed extends Played {
  /**
   * Writes a start command of the file writer for what is played, with topics as they are played into and `moreMs` at its end.
   * Gives what is not in its structure. Throws RECORDING_FAILED.
   */
  writeCommand(
    file: string,
    target: (topic: string) => string,
    shiftMs: number,
    moreMs: number
  ): Promise<readonly string[]>
  close(): void
}

/** Messages that are looked at in one go. */
const TURN_EVERY = 4096
/** Bytes that are sent in one go, and what a message counts at least. */
const [TURN_BYTES, LEAST_BYTES] = [1 << 20, 256]

/** Goes through the file once, so that what contradicts itself is known before anything is sent. Throws FILE_READ, HDF5_FAILED. */
export async function nexusPlayed(
  file: string,
  selection: Selection,
  sampling: Sampling,
  { signal, heard }: LookedThrough
): Promise<NexusPlayed> {
  const opened = await playedFile(file, sampling)
  const { groups, notes } = opened
  for (const note of notes) heard(`${file}: ${note}`)
  const made = groups.filter((group) => group.kind === 'events' && group.isSampled === true)
  if (made.length > 0)
    heard(`${file} has histograms and no events: those that are played are made of ${made.map(({ path }) => path).join(', ')}, by seed ${sampling.seed}`) // prettier-ignore
  const topics = new Map<string, number>()
  const played = new Set<string>()
  let [total, firstMs, lastMs] = [0, Infinity, -Infinity]
  let seen = 0
  for (const message of merged(groups)) {
    // Else no signal would be heard
    if (++seen % TURN_EVERY === 0) await turn()
    if (signal.aborted) break
    if (!isSelected(message, selection)) continue
    total++
    firstMs = Math.min(firstMs, message.timestampMs)
    lastMs = Math.max(lastMs, message.timestampMs)
    topics.set(message.topic, 1)
    played.add(message.key?.toString() ?? '')
  }
  return {
    total,
    firstMs,
    topics,
    known: new Set(Object.values(topicOf)),
    close: () => opened.close(),
    play: async (take, signal) => {
      let unbroken = 0
      for (const message of merged(groups)) {
        if (signal.aborted) break
        const wait = isSelected(message, selection) ? take(message) : undefined
        if (wait !== undefined) await wait
        // At full speed nothing else waits: no signal and no answer of a broker would be heard
        unbroken += LEAST_BYTES + (message.value?.length ?? 0)
        if (unbroken < TURN_BYTES) continue
        unbroken = 0
        await turn()
      }
      return []
    },
    writeCommand: async (to, target, shiftMs, moreMs) => {
      const streams = new Map(groups.filter((group) => played.has(sourceOf(group))).map((group) => [group.path, streamOf(group, target)])) // prettier-ignore
      const { structure, notes: left } = await structureOfFile(file, streams)
      // Times are in ns, the command's in ms: the millisecond of the last message is all in
      const times = { start_time: firstMs + shiftMs, stop_time: lastMs + shiftMs + 1 + moreMs }
      const command = { cmd: 'start', service: 'filewriter', file_name: `replay-${basename(file)}`, ...times, nexus_structure: structure } // prettier-ignore
      try {
        await writeFile(to, `${writeJson(command, 1)}\n`, { flag: 'wx' })
      } catch (cause) {
        throw new CodedError('RECORDING_FAILED', `${to} cannot be written: ${errorText(cause)}`, { cause })
      }
      return left
    }
  }
}

const eventDatasets = ['event_time_offset', 'event_id', 'event_time_zero', 'event_index', 'cue_index', 'cue_pulse_index', 'cue_timestamp_zero', 'total_counts'] // prettier-ignore
const logDatasets = ['value', 'time', 'cue_index', 'cue_timestamp_zero', 'minimum_value', 'maximum_value', 'average_value'] // prettier-ignore

function streamOf(group: PlayedSource, target: (topic: string) => string): StreamOf {
  const place = { topic: target(topicOf[group.kind]), source: sourceOf(group) }
  if (group.kind === 'events') {
    const node = { module: 'ev44', config: place }
    if (group.isSampled !== true) return { node, datasets: new Set(eventDatasets), attributes: new Set() }
    // Beside the histogram, which stays
    const name = 'sampled_events'
    const events = { type: 'group', name, attributes: [{ name: 'NX_class', dtype: 'string', values: 'NXevent_data' }], children: [node] } // prettier-ignore
    return { node: events, datasets: new Set([name]), attributes: new Set() }
  }
  const { dtype, size, units } = group
  const form = { dtype, ...(size !== undefined && { array_size: size }), ...(units !== undefined && { value_units: units }) } // prettier-ignore
  // Alarms and connection state are no streams here: they stay as they are in the file
  const bare = { enable_alarm_info: false, enable_epics_con_info: false }
  return {
    node: { module: 'f144', config: { ...place, ...form, ...bare } },
    datasets: new Set(logDatasets),
    attributes: new Set(['signal', 'axes'])
  }
}
