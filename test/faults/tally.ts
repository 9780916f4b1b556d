// The tally of a campaign: one line a fault.
import { type Row } from './campaign.js'

export interface Tally {
  readonly fault: string
  readonly rounds: number
  readonly events: number
  readonly sent: number
  readonly inFile: number
  readonly named: number
  readonly unaccounted: number
  /** Rounds in which the job was begun more than once. */
  readonly again: number
  /** Rounds with a problem that is no number unaccounted for. */
  readonly wrong: number
  /** From the stop to the end of the job. */
  readonly longestEndS: number
}

export function tally(rows: readonly Row[]): Tally[] {
  const names = [...new Set(rows.map(({ fault }) => fault))]
  const of = (fault: string, mine: readonly Row[]): Tally => {
    const sum = (what: 'events' | 'expected' | 'inFile' | 'named' | 'unaccounted'): number =>
      mine.reduce((all, row) => all + row[what], 0)
    return {
      ...{
        fault,
        rounds: mine.length,
        events: sum('events'),
        sent: sum('expected'),
        inFile: sum('inFile'),
        named: sum('named')
      },
      ...{ unaccounted: sum('unaccounted'), again: mine.filter(({ attempts }) => attempts > 1).length },
      wrong: mine.filter(({ problems }) => problems.length > 0).length,
      longestEndS: Math.round(Math.max(0, ...mine.map(({ endedAfterMs }) => endedAfterMs)) / 100) / 10
    }
  }
  return [...names.map((name) => of(name, rows.filter(({ fault }) => fault === name))), of('all', rows)] // prettier-ignore
}

/** As a table of Markdown. */
export function table(sums: readonly Tally[]): string {
  const head = ['fault', 'rounds', 'failures', 'sent', 'in the file', 'named lost', 'unaccounted', 'begun again', 'else wrong', 'longest end, s'] // prettier-ignore
  const lines = sums.map((one) => [
    one.fault,
    ...[
      one.rounds,
      one.events,
      one.sent,
      one.inFile,
      one.named,
      one.unaccounted,
      one.again,
      one.wrong,
      one.longestEndS
    ].map((n) => n.toLocaleString('en-US'))
  ])
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`
  return line(head) + line(head.map(() => '---')) + lines.map(line).join('')
}
