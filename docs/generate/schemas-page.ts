// docs/reference/schemas.md: the schema ids of the field, what each carries, and which parts read, write and store it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Host } from '../../core/host.js'
import { packageRoot } from '../../core/root.js'
import { schemaIds, type ConverterPart } from '../../schemas/index.js'
import { code, type Page, reference, table } from './markdown.js'
import { type WriterPart } from '../../plugins/service-filewriter/writer-kit.js'

const intro = `A message names its schema in bytes 4 to 7. \`nexstream decode\` and \`tail\` show messages of every id below. *Converter*: \`in\` reads records (for
writers), \`out\` makes messages from updates of a source (for the forwarder and the simulator). *Writers* are the modules of a
\`nexus_structure\` that store it.`

/** The first comment line of the .fbs file: `id: what. More.` → `what`. */
function titleOf(id: string): string {
  const [first = ''] = readFileSync(join(packageRoot, 'schemas/fbs', `${id}.fbs`), 'utf8').split('\n')
  const match = /^\/\/ \S+: ([^.]+)\./.exec(first)
  if (match?.[1] === undefined) throw new Error(`schemas/fbs/${id}.fbs: the first line must be '// ${id}: title. …'`)
  return match[1]
}

function directions(host: Host, id: string): string {
  const part = host.part('converter', id) as ConverterPart | undefined
  if (part === undefined) return ''
  const converter = part.open({}, { jobId: '', signal: AbortSignal.abort(), log: () => undefined, count: () => undefined }) // prettier-ignore
  const ways = [converter.decode && 'in', (converter.encode ?? converter.convert) ? 'out' : undefined]
  return ways.filter((way) => way !== undefined).join(', ')
}

/** Messages that the daemon itself speaks, without a converter. */
const spoken: Readonly<Record<string, string>> = {
  pl72: 'start command (dialect `ess`)',
  '6s4t': 'stop command (dialect `ess`)',
  answ: 'answer to a command (dialect `ess`)',
  wrdn: 'end of a file (dialect `ess`)',
  fc00: 'forwarder command (dialect `fc00`), kept stream list',
  rf5k: 'forwarder command (dialect `fc00`)',
  x5f2: 'heartbeat (reporter `x5f2`)'
}

export function schemasPage(host: Host): Page {
  const rows = schemaIds.map((id) => {
    const writers = host
      .ids('writer')
      .filter((writer) => (host.part('writer', writer) as WriterPart).accepts.includes(id))
    return [code(id), titleOf(id), directions(host, id), writers.map(code).join(' '), spoken[id] ?? '']
  })
  const listed = table([['id', 'what', 'converter', 'writers', 'spoken as'], ...rows])
  return reference('schemas', 'Schemas', 'schemas/fbs and the plugins', intro, listed)
}
