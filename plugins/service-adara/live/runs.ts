// Runs as run control says them: pl72 begins one, 6s4t ends it.
import { BadMessage } from '../../../core/api/plugin.js'
import { RunStart, RunStop, verified } from '../../../schemas/control.js'
import { type AdaraRun } from './state.js'

export type RunWord =
  | { readonly type: 'begin'; readonly job: string; readonly run: AdaraRun }
  /** `atMs`: when, 0 for at once; `job`: '' for whichever is. */
  | { readonly type: 'end'; readonly job: string; readonly atMs: number }

const MOST_RUN = 0xffffffff

/** The digits that a name ends in; 0 for a name without. */
export function runNumber(name: string): number {
  const [digits] = /\d+$/.exec(name) ?? ['0']
  const number = Number(digits)
  return number <= MOST_RUN ? number : 0
}

/** Throws BadMessage. */
export function runMessage(schema: 'pl72' | '6s4t', message: Uint8Array): RunWord {
  const bytes = verified(message, schema)
  if (schema === '6s4t') {
    const stop = RunStop.getRootAsRunStop(bytes)
    return { type: 'end', job: stop.jobId() ?? '', atMs: Number(stop.stopTime()) }
  }
  const start = RunStart.getRootAsRunStart(bytes)
  const name = start.runName() ?? ''
  if (name === '' && (start.filename() ?? '') === '') throw new BadMessage('missing_field', 'a run without a name')
  const startMs = Number(start.startTime())
  const startNs = BigInt(Math.trunc(startMs > 0 ? startMs : Date.now())) * 1_000_000n
  return { type: 'begin', job: start.jobId() ?? '', run: { number: runNumber(name), startNs, title: name } }
}
