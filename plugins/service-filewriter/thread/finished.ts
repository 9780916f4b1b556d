// The file of a job whose daemon died after the file had its name and before anybody was told: recognised, not written again.
import { existsSync, lstatSync, unlinkSync } from 'node:fs'
import { CodedError } from '../../../core/api/plugin.js'
import { openToRead } from '../file/summary.js'
import { type WasmFile } from '../file/wasm.js'
import { reportName } from '../structure/recorder.js'
import { sayReport, type JobReport } from '../structure/report.js'
import { startAttribute } from '../structure/root-attributes.js'
import { isErrorOf } from './end.js'
import { outputPath, partOf, writeChecksum } from './output.js'
import { type JobEnd, type WriteSpec } from './protocol.js'

const NOT_TOLD = 'an earlier attempt had finished the file when its daemon died before it could say so'

/**
 * The end of the job, with the report of the file, when an earlier attempt at the same start command has finished the file.
 * What that attempt had still to do is done. Throws FILE_PATH.
 */
export async function finishedBefore(spec: WriteSpec): Promise<JobEnd | undefined> {
  const { attempt = 1, start, notes = [], options } = spec
  if (start === undefined || attempt === 1) return undefined
  const { file } = outputPath(spec.folder, spec.fileName, attempt)
  if (!existsSync(file)) return undefined
  const found = await reportIn(file, start)
  if (found === undefined) return undefined
  for (let earlier = 1; earlier < attempt; earlier++) removeTwin(file, partOf(file, earlier))
  if (options.sha256 && !existsSync(`${file}.sha256`)) await writeChecksum(file)
  if (found === null) {
    const message = `${NOT_TOLD}; whether anything is missing in it is not known, as its report is not in it (report_in_file)`
    return { file, report: null, error: true, message }
  }
  const report = { ...found, notes: [...found.notes, ...notes, NOT_TOLD] }
  return { file, report, error: isErrorOf(report, options.failOn), message: sayReport(report) }
}

/** Undefined: the file is not of this start command; null: it is, but has no report. */
async function reportIn(path: string, start: string): Promise<JobReport | null | undefined> {
  let file: WasmFile | undefined
  try {
    ;({ file } = await openToRead(path))
    if (file.attributeText('/', startAttribute) !== start) return undefined
    return reportOf(file)
  } catch (error) {
    // Whatever it is, it is not ours
    if (error instanceof CodedError) return undefined
    throw error
  } finally {
    file?.close()
  }
}

/** Null for a file without one. */
export function reportOf(file: WasmFile): JobReport | null {
  const groups = ['', ...file.children('/').map((name) => `/${name}`)]
  const data = groups.map((group) => `${group}/${reportName}/data`).find((name) => file.kind(name) === 'dataset')
  return data === undefined ? null : (JSON.parse(file.text(data) ?? 'null') as JobReport | null)
}

/** The file got its name by a second link, and the daemon died before the first one was gone. */
function removeTwin(file: string, part: string): void {
  const [a, b] = [lstatSync(file), lstatSync(part, { throwIfNoEntry: false })]
  if (b !== undefined && a.ino === b.ino && a.dev === b.dev) unlinkSync(part)
}
