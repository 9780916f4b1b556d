// docs/reference/commands.md and status.md: schemas, examples, and what a real daemon answered to them.
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { commandSchema } from '../../core/commands.js'
import { type KnownCommand } from '../../core/api/plugin.js'
import { packageRoot } from '../../core/root.js'
import { block, code, json, options, type Page, reference, table } from './markdown.js'
import { type Recorded } from './recorded.js'

const intro = `A command is a JSON object on a command topic (\`commands.topic\`, \`commands.listen\`), in a file at start-up (\`commands.file\`), or sent by
\`nexstream send FILE\`, \`start\`, \`stop\`, \`jobs\`. Every command gets exactly one answer, on the status topic or the \`reply_topic\` of the entry:
\`response\` is \`ACK\` or \`ERR\`, \`status\` a number as in HTTP (200 done, 201 accepted, 400 refused, 404 unknown, 409 in conflict, 413 too large, 500 failed),
\`msg_id\` that of the command. What is wrong is listed in \`errors\`, each with code, path and message. A command with the \`service_id\` of another daemon gets
no answer. Commands of one service are carried out one after the other. The answers below were given by a real daemon to the first example.`

const describe = ({ schema }: KnownCommand): string =>
  `${options(typeof schema === 'object' ? schema : {})}\n\n<details><summary>JSON Schema</summary>\n\n${block('json', JSON.stringify(schema, null, 2))}\n\n</details>`

const common = `## Keys of every command

${options(commandSchema({ schema: { type: 'object' } }))}`

export function commandsPage(definitions: readonly KnownCommand[], recorded: Recorded): Page {
  const parts = definitions.map((definition) => {
    const { cmd, service, summary, examples } = definition
    const [first, ...others] = examples
    const shown = first === undefined ? [] : [json(first), 'Answer:', json(answerTo(recorded, first))]
    const more = others.length === 0 ? [] : [others.length === 1 ? 'Another example:' : 'More examples:', ...others.map(json)] // prettier-ignore
    const title = service === undefined ? cmd : `${cmd} (${service})`
    return [`## ${title}`, summary, describe(definition), 'Example:', ...shown, ...more].join('\n\n')
  })
  const events = `## Events\n\nThe end of a write job is told by an event, on the same topic as its answer:\n\n${json(recorded.event)}`
  return reference('commands', 'Commands', 'commands/', intro, common, ...parts, events, dialects())
}

/** The recorded answer to an example, without the long lists. */
function answerTo(recorded: Recorded, example: object): unknown {
  const found = recorded.answers.find(({ command }) => JSON.stringify(command) === JSON.stringify(example))
  if (found === undefined)
    throw new Error(`no recorded answer to ${JSON.stringify(example)}; run npm run docs -- --record`)
  return found.answer
}

/** Of one service, beside it. */
const dialectsOfServices = ['plugins/service-histogram/just-bin-it.ts']

/** The purpose line of each dialect's file. */
function dialects(): string {
  const folder = 'commands/dialects'
  const names = readdirSync(join(packageRoot, folder)).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.test.ts')
  )
  const files = [...names.toSorted().map((name) => join(folder, name)), ...dialectsOfServices]
  const rows = files.map((file) => {
    const [line = ''] = readFileSync(join(packageRoot, file), 'utf8').split('\n')
    return [code(basename(file, '.ts')), line.replace(/^\/\/ /, '')]
  })
  return `## Dialects

A dialect is one way to say these commands on the wire; \`commands.listen[].dialects\` names those of a topic, tried in order. Each turns its messages into
the commands above and the answers back into its own words.

${table([['dialect', 'what it understands'], ...rows])}`
}

export function statusPage({ status, heartbeat }: Recorded): Page {
  return reference(
    'status',
    'Status',
    'a recorded run (docs/samples/recorded.json)',
    `Every \`status.interval\` (1 s) the daemon tells its state to its reporters. The reporter [json](../../plugins/reporter-json/README.md) sends it to the status
topic, key = service id. \`nexstream status --watch\` shows it, \`nexstream status --json\` prints it. Keys of services are described in their README files.`,
    '## JSON status',
    json(status),
    '## x5f2 heartbeat',
    `Every 2 s, by the reporter [x5f2](../../plugins/reporter-x5f2/README.md). Decoded:`,
    json(heartbeat),
    'Its `status_json`:',
    json(JSON.parse((heartbeat as { status_json: string }).status_json))
  )
}
