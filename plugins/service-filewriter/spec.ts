// A start command and the options of the service → what the thread of a job gets.
import { CodedError, type Options, type Origin } from '../../core/api/plugin.js'
import { type StartJobCommand } from './commands/start.js'
import { levels } from './file/levels.js'
import { type optionSchema } from './options.js'
import { leniencyOf } from './structure/leniency.js'
import { type WriteSpec } from './thread/protocol.js'
import { nsOfMs, timeNs } from './times.js'

/** What is known of an earlier attempt at the job. */
export interface Again {
  readonly attempt: number
  readonly note: string
  /** Undefined: as the command says. */
  readonly stopNs: bigint | null | undefined
  /** Commands for the job are heard after this Kafka time, ms; undefined: all. */
  readonly heardMs: number | undefined
}

/** Throws COMMAND_INVALID for times that make no window. */
export function specOf(
  jobId: string,
  command: StartJobCommand,
  options: Options<typeof optionSchema>,
  origin: Origin,
  again?: Again
): WriteSpec {
  const startNs = timeNs(command.start_time, '/start_time') ?? nsOfMs(origin.timestampMs)
  const asked = timeNs(command.stop_time, '/stop_time') ?? null
  const stopNs = again?.stopNs === undefined ? asked : again.stopNs
  if (asked !== null && asked < startNs)
    throw new CodedError('COMMAND_INVALID', 'the stop time is before the start time', {
      path: '/stop_time',
      fields: { job_id: jobId }
    })
  return {
    jobId,
    structure: command.nexus_structure,
    structureAt: '/nexus_structure',
    flavour: command.flavour ?? options.flavour,
    attempt: again?.attempt ?? 1,
    notes: again === undefined ? [] : [again.note],
    leniency: leniencyOf(command.lenient, options.lenient, origin.dialect),
    folder: options.folder,
    templates: options.templates ?? null,
    fileName: command.file_name,
    startNs,
    stopNs,
    run: {
      runName: command.run_name ?? '',
      instrumentName: command.instrument_name ?? '',
      periods: command.periods ?? null,
      detectorSpectrumMap: spectrumMap(command.detector_spectrum_map)
    },
    options: {
      beforeStartMs: options.before_start_ms,
      lateDataMs: options.late_data_ms,
      checkpointMs: options.checkpoint_ms,
      progressMs: options.progress_ms,
      lookBackMs: options.look_back_ms,
      lookBackBytes: options.look_back_bytes,
      lookFurtherBytes: options.look_further_bytes,
      seekByTime: options.seek_by_time,
      onMissingTopic: command.on_missing_topic ?? options.on_missing_topic,
      onEmptyTopic: options.on_empty_topic,
      fetchBytes: options.fetch_bytes,
      fetchThreads: options.fetch_threads,
      memoryBytes: options.memory_bytes,
      reportInFile: options.report_in_file,
      fsync: options.fsync,
      threads: options.threads_per_job,
      readOnly: options.read_only,
      sha256: command.checksum ?? options.checksum,
      leastFreeBytes: options.least_free_bytes,
      failOn: command.fail_on ?? options.fail_on,
      compression: compression(options.compression)
    }
  }
}

function compression(given: Options<typeof optionSchema>['compression']): WriteSpec['options']['compression'] {
  if (given === undefined) return null
  const { filter, level, shuffle } = given
  const most = levels[filter]
  return { filter, shuffle, ...(level !== undefined && most > 0 && { level: Math.min(level, most) }) }
}

function spectrumMap(given: StartJobCommand['detector_spectrum_map']): WriteSpec['run']['detectorSpectrumMap'] {
  if (given === undefined) return null
  const { spectra, detectors } = given
  if (spectra.length !== detectors.length)
    throw new CodedError('COMMAND_INVALID', `${spectra.length} spectra for ${detectors.length} detectors`, {
      path: '/detector_spectrum_map'
    })
  return { spectra, detectors, monitors: 0 }
}
