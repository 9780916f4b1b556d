// `nexstream check --for READER FILE`: what a reader of NeXus files would miss or refuse, by its rules.
import { CodedError, type ToolFlags, type Told } from '../../../core/api/plugin.js'
import { mantidRules } from './mantid.js'
import { nxvalidateRules } from './nxvalidate.js'
import { judge, type Rule } from './rule.js'
import { scippnexusRules } from './scippnexus.js'
import { FileView } from './view.js'

export const readers = { mantid: mantidRules, scippnexus: scippnexusRules, nxvalidate: nxvalidateRules } as const satisfies Readonly<Record<string, readonly Rule[]>> // prettier-ignore

/** Every rule of the readers named in `--for` (`a,b`) with where it is met and where not. Throws CodedError CLI_USAGE, FILE_READ. */
export async function inspectFile(file: string, flags: ToolFlags): Promise<readonly Told[]> {
  const rulesOf: Readonly<Record<string, readonly Rule[]>> = readers
  const named = typeof flags['for'] === 'string' ? flags['for'].split(',') : []
  const known = Object.keys(readers).join(', ')
  if (named.length === 0) throw new CodedError('CLI_USAGE', `${file}: say for whom it is: --for ${known}`)
  const wrong = named.find((name) => !Object.hasOwn(readers, name))
  if (wrong !== undefined) throw new CodedError('CLI_USAGE', `--for ${wrong}: must be one of ${known}`)
  const view = await FileView.open(file)
  try {
    return named.flatMap((name) => judge(name, rulesOf[name] ?? [], view))
  } finally {
    view.close()
  }
}
