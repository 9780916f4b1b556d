// A whole NeXus file from a structure and messages, without Kafka, through the code that a write job runs.
import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { type Flavour } from './flavour.js'
import { isRefused } from './leniency.js'
import { createNexusFile, type NexusFileOptions } from '../file/file.js'
import { CodedError, type Finding, type LogLevel } from '../../../core/api/plugin.js'
import { rootAttributes } from './root-attributes.js'
import { Recorder } from './recorder.js'
import { sayLeftOut, type JobReport } from './report.js'
import { checkStructure, type WriterParts } from './structure.js'
import { type Template } from './template.js'
import { OPEN_END_NS, TimeWindow } from './window.js'
import { type TopicMessage } from './messages.js'
import { type ColumnOptions, type RunInfo } from '../writer-part.js'

export interface MakeFileOptions {
  /** nexus_structure as an object or JSON text. */
  readonly structure: unknown
  /** What the structure is called in errors. */
  readonly name?: string
  /** Path of the file to make; nothing is overwritten. */
  readonly file: string
  readonly messages: Iterable<TopicMessage> | AsyncIterable<TopicMessage>
  readonly parts: WriterParts
  /** ns since the epoch; default: everything is in the window. */
  readonly startNs?: bigint
  readonly stopNs?: bigint
  /** Write what is good of a structure that is not. */
  readonly lenient?: boolean
  /** What the structure is laid over. */
  readonly template?: Template
  /** Where the structure says none; default usual. */
  readonly flavour?: Flavour
  readonly reportInFile?: boolean
  readonly compression?: ColumnOptions['compression']
  readonly run?: Partial<RunInfo>
  readonly hdf5?: NexusFileOptions
  readonly log?: (level: LogLevel, message: string) => void
}

/**
 * Writes the file and returns the report, with the findings of a lenient run.
 * @throws CodedError STRUCTURE_INVALID with all findings in `fields.findings`, FILE_EXISTS, FILE_PATH, HDF5_FAILED
 */
export async function makeFile(options: MakeFileOptions): Promise<JobReport & { findings: readonly Finding[] }> {
  const { template, flavour } = options
  const checked = checkStructure(options.structure, options.parts, { flavour, ...(template && { template }) })
  const { plan, findings, leftOut } = checked
  if (isRefused(options.lenient === true ? 'lenient' : 'strict', checked, findings))
    throw structureError(findings, options.name)
  // 1 ns is the time of messages that have none
  const window = new TimeWindow(options.startNs ?? 2n, options.stopNs ?? OPEN_END_NS)
  const file = await createNexusFile(options.file, { fsync: 'never', ...options.hdf5 })
  let messages = 0
  try {
    const recorder = new Recorder(plan, options.parts, file, {
      jobId: 'make-file',
      window,
      run: runInfo(window, options.file, options.run),
      signal: new AbortController().signal,
      rootAttributes: rootAttributes(options.file),
      reportInFile: options.reportInFile ?? false,
      log: options.log ?? (() => undefined),
      ...(options.compression === undefined ? {} : { compression: options.compression })
    })
    recorder.problems.push(...sayLeftOut(leftOut))
    recorder.begin()
    for await (const { topic, partition, value } of options.messages) {
      messages++
      for (const route of recorder.topics.values())
        if (route.topic === topic && (partition === undefined || (route.partitions?.includes(partition) ?? true)))
          route.push(value)
    }
    const report = { ...recorder.finish(), findings }
    file.close()
    return report
  } catch (error) {
    file.close()
    await setAside(options, messages)
    throw error
  }
}

/** What has failed does not have the name of a whole file, nor stand in the way of the next try. */
async function setAside({ file, log }: MakeFileOptions, messages: number): Promise<void> {
  if (messages === 0) return rm(file, { force: true })
  let part = `${file}.part`
  // One of that name may be what a job writes, or has left
  for (let n = 2; existsSync(part); n++) part = `${file}.${n}.part`
  await rename(file, part)
  log?.('warn', `${part} has what came before: messages ${messages}`)
}

/** One error that carries all findings; `name` says where. */
export function structureError(findings: readonly Finding[], name = 'NeXus structure JSON'): CodedError {
  const [first] = findings
  const more = findings.length > 1 ? ` (and ${findings.length - 1} more)` : ''
  const code = first?.code === 'TOPIC_MISSING' || first?.code === 'TOPIC_EMPTY' ? first.code : 'STRUCTURE_INVALID'
  return new CodedError(code, `${name}: ${first?.path} ${first?.message}${more}`, {
    path: first?.path ?? '/',
    fields: { findings }
  })
}

/** What writers of run information see; the stop time as it stands when they ask. */
export function runInfo(
  window: { readonly startNs: bigint; readonly stopNs: bigint },
  fileName: string,
  rest: Partial<RunInfo> = {}
): RunInfo {
  return {
    fileName,
    runName: rest.runName ?? '',
    instrumentName: rest.instrumentName ?? '',
    periods: rest.periods ?? null,
    detectorSpectrumMap: rest.detectorSpectrumMap ?? null,
    startNs: window.startNs,
    get stopNs() {
      return window.stopNs === OPEN_END_NS ? null : window.stopNs
    }
  }
}
