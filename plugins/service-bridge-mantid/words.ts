// What Mantid's Kafka listener understands, made of what is sent today.
import { BadMessage, type OutMessage } from '../../core/api/plugin.js'
import { RunStart, RunStop, verified } from '../../schemas/control.js'
import {
  type Converter,
  element,
  encodeMessage,
  type EventRecord,
  type LogRecord,
  msOf,
  type Update,
  type Vector
} from '../../schemas/index.js'

/** From 1970 to 1990. */
const EPOCH_NS = 631_152_000n * 1_000_000_000n
const NS_PER_MS = 1_000_000n
const MOST_RUN_DIGITS = 9

/** One ev42 per pulse. Kafka's time stays that of the pulse: Mantid finds the start of a run by it. */
export function eventMessages(record: EventRecord, ev42: Converter, shift: boolean): OutMessage[] {
  const times = Array.from(
    { length: record.referenceTime.length },
    (_, i) => element(record.referenceTime, i) as bigint
  )
  const moved: Vector = shift ? { dtype: 'int64', length: times.length, bytes: bytesOf(times.map((time) => time - EPOCH_NS)) } : record.referenceTime // prettier-ignore
  const events: EventRecord = { ...record, referenceTime: moved }
  const made = ev42.convert?.(updateOf(record.source, times[0] ?? 0n, events)) ?? []
  return made.map(({ value }, i) => ({ value, timestampMs: msOf(times[i] ?? times[0] ?? 0n) }))
}

const bytesOf = (times: readonly bigint[]): Uint8Array => new Uint8Array(BigInt64Array.from(times).buffer)

const updateOf = (source: string, timestampNs: bigint, events: EventRecord): Update => ({
  kind: 'value',
  source,
  timestampNs,
  dtype: 'structure',
  value: null,
  alarm: { severity: 0, status: 0, message: '' },
  units: '',
  precision: null,
  enumStrings: null,
  connection: 2,
  first: false,
  repeat: false,
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
