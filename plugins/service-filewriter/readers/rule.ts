// What a rule of a reader is: where it comes from, how it looks at a file, what it tells.
import { type Told } from '../../../core/api/plugin.js'
import { type FileView } from './view.js'

/** One look of a rule at one place; with a remedy it is not met. */
export interface RuleLook {
  readonly path: string
  readonly found: string
  readonly remedy?: string
}

export interface Rule {
  /** Short, in lower case: `event-index`. */
  readonly id: string
  /** The part of the reader that it comes from. */
  readonly from: string
  readonly says: string
  /** `must`: the reader refuses the file or misses data; `should`: it does worse. */
  readonly level: 'must' | 'should'
  look(view: FileView): readonly RuleLook[]
}

export const met = (path: string, found: string): RuleLook => ({ path, found })
export const broken = (path: string, found: string, remedy: string): RuleLook => ({ path, found, remedy })

/** Looks at a file by each rule; one that finds nothing to look at does not apply. */
export function judge(reader: string, rules: readonly Rule[], view: FileView): Told[] {
  return rules.flatMap((rule) => {
    const code = `${reader}/${rule.id}`
    const looks = rule.look(view)
    if (looks.length === 0) return [{ code, path: '/', message: 'does not apply', met: true }]
    return looks.map(({ path, found, remedy }): Told => {
      if (remedy === undefined) return { code, path, message: found, met: true }
      const message = `${found}; ${rule.says} (${rule.from}): ${remedy}`
      return { code, path, message, met: false, ...(rule.level === 'should' && { warning: true }) }
    })
  })
}
