// What is said while something is started: one line a step, a running line for progress on a terminal.
import { type Terminal } from '../../core/api/plugin.js'

export interface Steps {
  /** A finished step or a piece of news. */
  readonly tell: (text: string) => void
  readonly heading: (text: string) => void
  /** Says what is being done, does it, and says how long it took. */
  readonly step: <T>(what: string, work: () => Promise<T>, result?: (value: T) => string) => Promise<T>
  /** Replaced by the next line; not shown in logs. */
  readonly running: (text: string) => void
}

export function stepsOn({ bold, print, progress }: Terminal): Steps {
  const tell = (text: string): void => {
    progress('')
    void print(text)
  }
  return {
    tell,
    heading: (text) => tell(`\n${bold(text)}`),
    step: async (what, work, result = () => '') => {
      const begin = performance.now()
      progress(`… ${what}`)
      const value = await work()
      const seconds = ((performance.now() - begin) / 1000).toFixed(1)
      tell(`✓ ${what}${result(value)} (${seconds} s)`)
      return value
    },
    running: (text) => progress(`… ${text}`)
  }
}
