// The end of a write job: the file is closed and gets its name, or keeps that of an unfinished one; the verdict.
import { CodedError, errorText } from '../../../core/api/plugin.js'
import { type Recorder } from '../structure/recorder.js'
import { sayReport, withProblems, type JobReport } from '../structure/report.js'
import { publish, writeChecksum, type OutputPath } from './output.js'
import { type JobEnd, type WriteSpec } from './protocol.js'

export interface Ending {
  readonly recorder: Recorder
  readonly path: OutputPath
  readonly spec: WriteSpec
  /** The file keeps the name of an unfinished one. */
  readonly abandoned: boolean
  /** What reading ended with. */
  readonly failure: unknown
  /** Called when the file is closed and the counts are final. */
  readonly closed: () => void
}

const isOfFile = (error: unknown): boolean => error instanceof CodedError && error.code.startsWith('HDF5')

/** Never throws: whatever happens is in the end that it returns. */
export async function endFile(ending: Ending): Promise<JobEnd> {
  const { recorder, path, spec, abandoned, failure, closed } = ending
  let broken = isOfFile(failure)
  let report: JobReport | undefined
  await recorder.drained()
  try {
    if (!broken) report = recorder.finish()
  } catch (error) {
    broken = true
    recorder.problems.push(`the file could not be finished: ${errorText(error)}`)
  }
  report ??= salvage(recorder, path)
  closed()
  if (abandoned || broken) return { file: path.part, report, error: true, message: sayReport(report) }
  // It has the name of an unfinished one until it got its own
  let file = path.part
  try {
    publish(path, spec.options.readOnly)
    file = path.file
    if (spec.options.sha256) await writeChecksum(file)
  } catch (error) {
    report = withProblems(report, [...report.problems, errorText(error)])
  }
  const error = failure !== undefined || isErrorOf(report, spec.options.failOn)
  return { file, report, error, message: sayReport(report) }
}

export const isErrorOf = ({ lost, verdict }: JobReport, failOn: WriteSpec['options']['failOn']): boolean =>
  lost || (failOn === 'any' && verdict !== 'complete')

/** What was published until the last checkpoint stays readable, under the name of an unfinished file. */
function salvage(recorder: Recorder, { part }: OutputPath): JobReport {
  recorder.problems.push(`what the file held at its last checkpoint is in ${part}`)
  try {
    return recorder.salvage()
  } catch (error) {
    recorder.problems.push(`it could not be closed: ${errorText(error)}`)
    try {
      recorder.abandon()
    } catch {
      // It is as the last checkpoint left it
    }
    return recorder.report()
  }
}
