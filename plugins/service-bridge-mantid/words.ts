// What Mantid's Kafka listener understands, made of what is sent today.
import { BadMessage, type OutMessage } from '../../core/api/plugin.js'
import { RunStart, RunStop, verified } from '../../schemas/control.js'
import {
  bareUpdate,
  type Converter,
  element,
  encodeMessage,
  type EventRecord,
  type LogRecord,
  msOf,
  splitPulses,
  type Update,
  type Vector
} from '../../schemas/index.js'

/** From 1970 to 1990. */
const EPOCH_NS = 631_152_000n * 1_000_000_000n
const NS_PER_MS = 1_000_000n
const MOST_RUN_DIGITS = 9

export interface EventMessages {
  readonly messages: readonly OutMessage[]
  /** Events that ev42 cannot say: negative times of flight or ids, and those of no pulse, or of one before its epoch. */
  readonly lost: number
}

/** One ev42 per pulse. Kafka's time stays that of the pulse: Mantid finds the start of a run by it. */
export function eventMessages(record: EventRecord, ev42: Converter, shift: boolean): EventMessages {
  const firstNs = shift ? EPOCH_NS : 0n
  const messages: OutMessage[] = []
  let taken = 0
  for (const pulse of splitPulses(record)) {
    const timeNs = element(pulse.referenceTime, 0) as bigint
    if (timeNs < firstNs) continue
    const referenceTime: Vector = { dtype: 'int64', length: 1, bytes: bytesOf([timeNs - firstNs]) }
    const events: EventRecord = { ...sound(pulse), referenceTime, referenceTimeIndex: null }
    taken += events.timeOfFlight.length
    for (const { value } of ev42.convert?.(updateOf(record.source, timeNs, events)) ?? [])
      messages.push({ value, timestampMs: msOf(timeNs) })
  }
  return { messages, lost: record.timeOfFlight.length - taken }
}

/** Without the events that have a negative number. */
function sound(record: EventRecord): EventRecord {
  const { timeOfFlight, pixelId } = record
  const isNegative = (vector: Vector, i: number): boolean => i < vector.length && element(vector, i) < 0
  const wrong = (i: number): boolean => isNegative(timeOfFlight, i) || isNegative(pixelId, i)
  let good: number[] | undefined
  for (let i = 0; i < timeOfFlight.length; i++)
    if (wrong(i)) good ??= Array.from({ length: i }, (_, place) => place)
    else good?.push(i)
  if (good === undefined) return record
  const left = good
  const kept = (vector: Vector): Vector =>
    vector.length === 0 ? vector : { dtype: 'int32', length: left.length, bytes: new Uint8Array(Int32Array.from(left, (i) => Number(element(vector, i))).buffer) } // prettier-ignore
  return { ...record, timeOfFlight: kept(timeOfFlight), pixelId: kept(pixelId) }
}

const bytesOf = (times: readonly bigint[]): Uint8Array => new Uint8Array(BigInt64Array.from(times).buffer)

const updateOf = (source: string, timestampNs: bigint, events: EventRecord): Update => ({
  ...bareUpdate(source, timestampNs),
  events
})

export const valueMessage = (record: LogRecord, f142: Converter): OutMessage[] => {
  const value = f142.encode?.({ ...record, alarm: record.alarm })
  return value === undefined ? [] : [{ value, timestampMs: msOf(record.timestampNs) }]
}

/** The digits that a name ends in: Mantid makes a number of a name of digits only. */
export function runName(name: string): string {
  const [digits] = /\d+$/.exec(name) ?? []
  return digits === undefined ? name : digits.slice(-MOST_RUN_DIGITS).replace(/^0+(?=\d)/, '')
}

/** Times become ns, whatever the schema says: Mantid takes them for that. Throws BadMessage. */
export function startMessage(
  message: Uint8Array,
  { instrument, geometry }: { readonly instrument: string; readonly geometry: string | undefined }
): OutMessage {
  const start = RunStart.getRootAsRunStart(verified(message, 'pl72'))
  const name = runName(start.runName() ?? '')
  if (name === '') throw new BadMessage('missing_field', 'a run without a name')
  const map = start.detectorSpectrumMap()
  const startMs = start.startTime() === 0n ? BigInt(Date.now()) : start.startTime()
  const value = encodeMessage('pl72', {
    start_time: startMs * NS_PER_MS,
    stop_time: start.stopTime() * NS_PER_MS,
    run_name: name,
    instrument_name: instrument,
    nexus_structure: geometry ?? start.nexusStructure() ?? '{}',
    job_id: start.jobId() ?? '',
    filename: start.filename() ?? '',
    n_periods: Math.max(1, start.nPeriods()),
    ...(map !== null && {
      detector_spectrum_map: {
        spectrum: Array.from({ length: map.spectrumLength() }, (_, i) => map.spectrum(i) ?? 0),
        detector_id: Array.from({ length: map.detectorIdLength() }, (_, i) => map.detectorId(i) ?? 0),
        n_spectra: map.nSpectra()
      }
    })
  })
  return { value, timestampMs: Number(startMs) }
}

/** Throws BadMessage. */
export function stopMessage(message: Uint8Array): OutMessage {
  const stop = RunStop.getRootAsRunStop(verified(message, '6s4t'))
  const stopMs = stop.stopTime() === 0n ? BigInt(Date.now()) : stop.stopTime()
  const value = encodeMessage('6s4t', {
    stop_time: stopMs * NS_PER_MS,
    run_name: runName(stop.runName() ?? ''),
    job_id: stop.jobId() ?? '',
    command_id: stop.commandId() ?? ''
  })
  return { value, timestampMs: Number(stopMs) }
}
