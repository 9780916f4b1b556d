// What the main thread and the thread of a write job say to each other.
import { type Flavour } from '../structure/flavour.js'
import { type Leniency } from '../structure/leniency.js'
import { type MissingTopic } from '../structure/plan.js'
import { type JobTotals } from '../structure/recorder.js'
import { type JobReport } from '../structure/report.js'
import { type Detail, type Finding, type LogLevel } from '../../../core/api/plugin.js'
import { type ColumnOptions, type RunInfo } from '../writer-part.js'

/** One write job, as the thread gets it (structured clone). */
export interface WriteSpec {
  readonly jobId: string
  /** nexus_structure: object or JSON text. */
  readonly structure: unknown
  /** All of it when `structure` is only a part: what is wrong is said of this one. */
  readonly checkAlso?: unknown
  /** A part whose master says what concerns the whole. */
  readonly part?: boolean
  /** Its JSON path in the command, for findings. */
  readonly structureAt: string
  /** Default 1; more when an earlier one was lost with its daemon. */
  readonly attempt?: number
  /** The start command by its place in Kafka, when it may be run again: goes into the file. */
  readonly start?: string
  /** What the report shall say beside its own notes. */
  readonly notes?: readonly string[]
  readonly leniency: Leniency
  readonly folder: string
  /** Where the structure says none; default usual. */
  readonly flavour?: Flavour
  /** Folder of templates by instrument name; null: none. */
  readonly templates?: string | null
  readonly fileName: string
  readonly startNs: bigint
  /** Null: none yet. */
  readonly stopNs: bigint | null
  readonly run: Pick<RunInfo, 'runName' | 'instrumentName' | 'periods' | 'detectorSpectrumMap'>
  readonly options: WriteOptions
  /** Count per partition and stream, too. Default false. */
  readonly detailed?: boolean
}

export interface WriteOptions {
  /** Reading begins at the Kafka time of the start less this. */
  readonly beforeStartMs: number
  /** Data of the window may reach Kafka so much later than the stop time. */
  readonly lateDataMs: number
  readonly checkpointMs: number
  readonly progressMs: number
  /** How far back to search for the last value before the start; null: as far as there are data. */
  readonly lookBackMs: number | null
  /** Most bytes to read per topic in that search. */
  readonly lookBackBytes: number
  /** Most bytes read per partition behind a window in the past since its last message, while times there are in doubt. */
  readonly lookFurtherBytes: number
  /** Find the place in a topic by Kafka times; false: read all of it (data whose Kafka times are not theirs). */
  readonly seekByTime: boolean
  readonly onMissingTopic: MissingTopic
  /** Default `wait`: data may come. */
  readonly onEmptyTopic?: MissingTopic
  /** Per Fetch response. */
  readonly fetchBytes: number
  /** Threads that read for the job's own; default 0: it reads. */
  readonly fetchThreads?: number
  /** Bound for what the columns gather. */
  readonly memoryBytes: number
  readonly reportInFile: boolean
  readonly readOnly: boolean
  readonly sha256: boolean
  /** A job does not begin with less room on the disk. Default 0. */
  readonly leastFreeBytes?: number
  /** What makes the end of a job an error: data that are lost, or any warning, too. Default `lost`. */
  readonly failOn?: 'lost' | 'any'
  readonly compression: ColumnOptions['compression'] | null
  /** When data must be on the disk itself; default `close`. */
  readonly fsync?: 'never' | 'checkpoint' | 'close'
  /** Most threads of the job; with more than one the groups of other topics go into files of their own. Default 1. */
  readonly threads?: number
}

/**
 * `now`: reads on to the present end of the topics; `early`: the same, but nobody wanted this end, so it is no success;
 * `abort`: with what has been read.
 */
export type StopHow = 'now' | 'early' | 'abort'

export type ToWorker =
  | { readonly type: 'start'; readonly spec: WriteSpec }
  | { readonly type: 'set_stop'; readonly stopNs: bigint }
  | { readonly type: 'stop_now'; readonly stopNs: bigint; readonly how: StopHow; readonly reason: string }
  /** Ends without giving the file its name: another daemon writes it. */
  | { readonly type: 'abandon'; readonly reason: string }
  /** A made-up job, while there is no other. */
  | { readonly type: 'rehearse'; readonly mostBusyMs: number }
  /** No more jobs for this thread. */
  | { readonly type: 'end' }

export interface JobProgress extends JobTotals {
  readonly phase: 'waiting' | 'searching' | 'writing' | 'closing'
  /** Messages in Kafka that are not read yet. */
  readonly behind: number
  /** How long ago what is read now, or later, was the newest in Kafka. */
  readonly behind_s: number
  /** With `detailed`. */
  readonly details?: readonly Detail[]
}

export interface JobEnd {
  readonly file: string
  readonly report: JobReport | null
  readonly error: boolean
  readonly message: string
  /** Further files of the job. */
  readonly moreFiles?: readonly string[]
}

export type FromWorker =
  /** Loaded, or done with a job: ready for the next. */
  | { readonly type: 'idle' }
  /** Of so many messages; 0: it failed, or a job came. */
  | { readonly type: 'rehearsed'; readonly written: number }
  | { readonly type: 'ready'; readonly file: string; readonly findings: readonly Finding[]; readonly streams: number }
  | {
      readonly type: 'refused'
      readonly code: string
      readonly message: string
      readonly path?: string
      readonly findings: readonly Finding[]
    }
  | { readonly type: 'progress'; readonly progress: JobProgress }
  | {
      readonly type: 'log'
      readonly level: LogLevel
      readonly message: string
      readonly fields?: Record<string, unknown>
      readonly fault?: FaultPlace
    }
  | { readonly type: 'done'; readonly end: JobEnd }

/** The method of a converter or writer that threw, or gave, what it must not. */
export interface FaultPlace {
  readonly kind: 'converter' | 'writer'
  readonly id: string
  readonly method: string
}

/** What the main thread does with what a job logs; with a `fault` it is one. */
export type JobLog = (level: LogLevel, message: string, fields?: Record<string, unknown>, fault?: FaultPlace) => void
