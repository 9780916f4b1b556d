// Run control: pl72 start, 6s4t stop, answ answer, wrdn file written, df12 detector-spectrum map.
import { BadMessage } from '../../core/api/errors.js'
import { encodeMessage } from '../index.js'
import { i32, missing, Table } from '../reader.js'

/** df12, also a part of pl72: `spectra[i]` is the spectrum of `detectors[i]`. */
export interface DetectorSpectrumMap {
  readonly spectra: readonly number[]
  readonly detectors: readonly number[]
  readonly spectrumCount: number
}

/** pl72. Texts are "" when absent; times are ms since the Unix epoch, 0: now (start) or open end (stop). */
export interface RunStart {
  readonly startTimeMs: number
  readonly stopTimeMs: number
  readonly runName: string
  readonly instrumentName: string
  /** JSON text. */
  readonly nexusStructure: string
  readonly jobId: string
  readonly broker: string
  readonly serviceId: string
  readonly filename: string
  readonly periods: number
  readonly detectorSpectrumMap: DetectorSpectrumMap | null
  /** JSON text. */
  readonly metadata: string
  readonly controlTopic: string
}

/** 6s4t; a stop time of 0 means at once. */
export interface RunStop {
  readonly stopTimeMs: number
  readonly runName: string
  readonly jobId: string
  readonly serviceId: string
  readonly commandId: string
}

/** answ. `statusCode` is HTTP-like. */
export interface ActionResponse {
  readonly serviceId: string
  readonly jobId: string
  readonly action: 'StartJob' | 'SetStopTime'
  readonly outcome: 'Success' | 'Failure'
  readonly statusCode: number
  readonly stopTimeMs: number
  readonly message: string
  /** Of a start command: the job id. */
  readonly commandId: string
}

/** wrdn. `metadata` is JSON text; empty texts are left out. */
export interface FinishedWriting {
  readonly serviceId: string
  readonly jobId: string
  readonly errorEncountered: boolean
  readonly fileName: string
  readonly metadata: string
  readonly message: string
}

// Unsigned 64-bit on the wire; some senders say "never" as 2^64 - 1, here the last time that JavaScript knows.
const ms = (table: Table, slot: number): number => Math.min(Number(table.uint64(slot)), 8.64e15)

function int32s(table: Table, slot: number): number[] {
  const vector = table.vector(slot, 'int32')
  return vector === null ? [] : Array.from({ length: vector.length }, (_, i) => i32(vector.bytes, 4 * i))
}

function mapOf(table: Table): DetectorSpectrumMap {
  const spectra = int32s(table, 0)
  const detectors = int32s(table, 1)
  if (spectra.length !== detectors.length)
    throw new BadMessage('length_mismatch', `${spectra.length} spectra for ${detectors.length} detectors`)
  return { spectra, detectors, spectrumCount: table.int32(2) }
}

const mapFields = (map: DetectorSpectrumMap) => ({
  spectrum: map.spectra,
  detector_id: map.detectors,
  n_spectra: map.spectrumCount
})

/** Throws BadMessage for bytes that are no sound pl72; says nothing about empty fields. */
export function decodePl72(message: Uint8Array): RunStart {
  const t = Table.root(message, 'pl72')
  const map = t.table(10)
  return {
    startTimeMs: ms(t, 0),
    stopTimeMs: ms(t, 1),
    runName: t.text(2),
    instrumentName: t.text(3),
    nexusStructure: t.text(4),
    jobId: t.text(5),
    broker: t.text(6),
    serviceId: t.text(7),
    filename: t.text(8),
    periods: t.uint32(9, 1),
    detectorSpectrumMap: map === null ? null : mapOf(map),
    metadata: t.text(11),
    controlTopic: t.text(12)
  }
}

/** Throws BadMessage `unencodable` for numbers out of range. */
export function encodePl72(start: RunStart): Buffer {
  return encodeMessage('pl72', {
    start_time: start.startTimeMs,
    stop_time: start.stopTimeMs,
    run_name: start.runName,
    instrument_name: start.instrumentName,
    nexus_structure: start.nexusStructure,
    job_id: start.jobId,
    broker: start.broker,
    service_id: start.serviceId,
    filename: start.filename,
    n_periods: start.periods,
    detector_spectrum_map: start.detectorSpectrumMap === null ? null : mapFields(start.detectorSpectrumMap),
    metadata: start.metadata,
    control_topic: start.controlTopic
  })
}

/** Throws BadMessage for bytes that are no sound 6s4t. */
export function decode6s4t(message: Uint8Array): RunStop {
  const t = Table.root(message, '6s4t')
  return {
    stopTimeMs: ms(t, 0),
    runName: t.text(1),
    jobId: t.text(2),
    serviceId: t.text(3),
    commandId: t.text(4)
  }
}

export function encode6s4t(stop: RunStop): Buffer {
  return encodeMessage('6s4t', {
    stop_time: stop.stopTimeMs,
    run_name: stop.runName,
    job_id: stop.jobId,
    service_id: stop.serviceId,
    command_id: stop.commandId
  })
}

/** Throws BadMessage for bytes that are no sound answ. */
export function decodeAnsw(message: Uint8Array): ActionResponse {
  const t = Table.root(message, 'answ')
  return {
    serviceId: t.required(0, 'service_id'),
    jobId: t.required(1, 'job_id'),
    action: t.uint8(2) === 0 ? 'StartJob' : 'SetStopTime',
    outcome: t.uint8(3) === 0 ? 'Success' : 'Failure',
    statusCode: t.int32(4),
    stopTimeMs: ms(t, 5),
    message: t.text(6),
    commandId: t.text(7)
  }
}

export function encodeAnsw(answer: ActionResponse): Buffer {
  return encodeMessage('answ', {
    service_id: answer.serviceId,
    job_id: answer.jobId,
    action: answer.action,
    outcome: answer.outcome,
    status_code: answer.statusCode,
    stop_time: answer.stopTimeMs,
    message: answer.message,
    command_id: answer.commandId
  })
}

/** Throws BadMessage for bytes that are no sound wrdn. */
export function decodeWrdn(message: Uint8Array): FinishedWriting {
  const t = Table.root(message, 'wrdn')
  return {
    serviceId: t.required(0, 'service_id'),
    jobId: t.required(1, 'job_id'),
    errorEncountered: t.bool(2),
    fileName: t.required(3, 'file_name'),
    metadata: t.text(4),
    message: t.text(5)
  }
}

export function encodeWrdn(done: FinishedWriting): Buffer {
  return encodeMessage('wrdn', {
    service_id: done.serviceId,
    job_id: done.jobId,
    error_encountered: done.errorEncountered,
    file_name: done.fileName,
    metadata: done.metadata === '' ? null : done.metadata,
    message: done.message === '' ? null : done.message
  })
}

/** Throws BadMessage for bytes that are no sound df12. */
export function decodeDf12(message: Uint8Array): DetectorSpectrumMap {
  const t = Table.root(message, 'df12')
  if (!t.has(0) || !t.has(1)) missing('spectrum or detector_id')
  return mapOf(t)
}

export const encodeDf12 = (map: DetectorSpectrumMap): Buffer => encodeMessage('df12', mapFields(map))
