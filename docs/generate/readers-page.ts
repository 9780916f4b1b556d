// docs/reference/readers.md: the rules of `nexstream check --for READER FILE`.
import { readers } from '../../plugins/service-filewriter/readers/index.js'
import { code, type Page, reference, table } from './markdown.js'

const intro = `\`nexstream check --for mantid FILE.nxs\` (\`scippnexus\`, \`nxvalidate\`, several with a comma) lists each rule with where it is met and where not,
and what to do about it, for any NeXus file, whoever wrote it. It ends with 5 where a rule of level **must** is not met, with 0 else. [How to write
files for Mantid](../how-to/mantid.md).

The rules of Mantid are what its algorithms LoadEventNexus, LoadNexusLogs and LoadISISNexus do with a file, as read in their source; those of scippnexus and
nxvalidate are what these programs say of files of the field. A file may meet them and yet not be what its definition wants.`

export function readersPage(): Page {
  const sections = Object.entries(readers).map(([reader, rules]) => {
    const rows = rules.map(({ id, level, says, from }) => [
      code(`${reader}/${id}`),
      level === 'must' ? '**must**' : level,
      says,
      from
    ])
    return `## ${reader}\n\n${table([['rule', 'level', 'what it says', 'of'], ...rows])}`
  })
  return reference('readers', 'Readers', 'plugins/service-filewriter/readers', intro, ...sections)
}
