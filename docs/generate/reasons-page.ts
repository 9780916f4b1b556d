// docs/reference/reasons.md: what write jobs count, and what each reason means for the file.
import { reasons, type Weight } from '../../plugins/service-filewriter/structure/reasons.js'
import { code, type Page, reference, table } from './markdown.js'

const intro = `What a write job counts by reason, in \`bad\`, \`counts\`, \`losses\` and \`warnings\` of its report. [Reliability](../reliability.md) says what
follows: only what is **lost** makes the end of a job an error. A reason of a plugin that is not listed here is lost unless the plugin
says otherwise (\`context.count(reason, n, 'warning')\`).`

const words: Readonly<Record<Weight, string>> = { lost: '**lost**', warning: 'warning', note: 'only counted' }

const marks = { always: ' ²', shared: ' ¹', never: '' } as const

export function reasonsPage(): Page {
  const rows = Object.entries(reasons).map(([name, { weight, says, stray }]) => [
    code(name),
    words[weight] + marks[stray ?? 'never'],
    says
  ])
  const foot = `¹ A warning where the message is damaged so that its source cannot be read, and others use its topic, too: it need not be one of the job.

² A warning where the message as a whole has no time: it belongs to no window.`
  return reference(
    'reasons',
    'Reasons',
    'plugins/service-filewriter/structure/reasons.ts',
    intro,
    table([['reason', 'means', 'what was counted'], ...rows]),
    foot
  )
}
