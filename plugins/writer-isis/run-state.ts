// What the modules of one file tell each other: which period was when, and alarms to the block they belong to.

export interface PeriodChange {
  readonly timeNs: bigint
  /** From 1. */
  readonly period: number
}

export class RunPeriods {
  /** Ascending. */
  readonly changes: PeriodChange[] = []
  /** Periods of the run. */
  number = 1

  note(timeNs: bigint, period: number): void {
    if (this.changes.at(-1)?.period !== period) this.changes.push({ timeNs, period })
  }

  /** The one at a time; before the first change that of the first. */
  at(timeNs: bigint): number {
    const changes = this.changes
    let [low, high] = [0, changes.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (changes[middle]!.timeNs <= timeNs) low = middle + 1
      else high = middle
    }
    return changes[Math.max(0, low - 1)]?.period ?? 1
  }
}

/** By the signal of the job, with which they go. */
const known = new WeakMap<AbortSignal, RunPeriods>()

export function periodsOf({ signal }: { readonly signal: AbortSignal }): RunPeriods {
  const periods = known.get(signal) ?? new RunPeriods()
  known.set(signal, periods)
  return periods
}

/** Something that alarms belong to. */
export interface Alarmed {
  note(timeNs: bigint, alarm: { readonly severity: number; readonly status: number }): void
}

const blocks = new WeakMap<AbortSignal, Map<string, Alarmed>>()

/** Blocks of a job by the path of their group. */
export function blocksOf({ signal }: { readonly signal: AbortSignal }): Map<string, Alarmed> {
  const ofJob = blocks.get(signal) ?? new Map<string, Alarmed>()
  blocks.set(signal, ofJob)
  return ofJob
}
