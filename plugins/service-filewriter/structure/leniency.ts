// Who gets a file of a structure in which something is wrong: commands of the peers, whose file writers make one.
import { type Finding } from '../../../core/api/plugin.js'
import { type Checked } from './structure.js'

/** Of a wrong structure: refused; what is good is written; the same, but not without the data of a module that nobody knows. */
export type Leniency = 'strict' | 'lenient' | 'known modules'

/** What clients of a dialect expect of their file writer. */
const customs: Readonly<Record<string, Leniency>> = { ess: 'known modules', 'filewriter-2018': 'lenient' }

/** What the command says goes before the option of the service, and that before the custom of its dialect. */
export function leniencyOf(command: unknown, option: boolean | undefined, dialect: string): Leniency {
  const asked = typeof command === 'boolean' ? command : option
  if (asked !== undefined) return asked ? 'lenient' : 'strict'
  return customs[dialect] ?? 'strict'
}

/** Of what nothing can be read, nothing can be written. */
export function isRefused(
  leniency: Leniency,
  { unreadable }: Pick<Checked, 'unreadable'>,
  findings: readonly Finding[]
): boolean {
  if (unreadable) return true
  if (leniency === 'strict') return findings.length > 0
  return leniency === 'known modules' && findings.some(({ code }) => code === 'WRITER_UNKNOWN')
}
