// `nexstream check`: what is wrong with a config, a structure or a command, before anything runs.
import { check as checkSchema } from '../check.js'
import { type LoadedConfig, loadConfig, printConfig } from '../config.js'
import { configSchema } from '../config-schema.js'
import { loadCommands, loadDialects } from '../dispatcher.js'
import { CodedError } from '../api/errors.js'
import { kafkaSettings } from '../kafka/options.js'
import { type Loaded } from '../loader.js'
import { partsOf } from '../../plugins/service-filewriter/structure/parts.js'
import { checkStructure } from '../../plugins/service-filewriter/structure/structure.js'
import { readTemplate } from '../../plugins/service-filewriter/structure/template.js'
import { type Command, type Finding, type PartLookup, type ReporterPart, type ServicePart } from '../api/plugin.js'
import { commandsIn } from '../command-file.js'
import { reporterOptions } from '../status.js'
import { resolve } from 'node:path'
import { commandFindings } from './command-check.js'
import { flagValues, loadParts } from './config.js'
import { readText } from './decode.js'
import { exitCodeOf, exitCodes, report } from './exit.js'
import { findingLine, print, printJson, say } from './io.js'

const kinds = ['config', 'structure', 'command'] as const
type Kind = (typeof kinds)[number]

export interface CheckFlags {
  readonly as?: string
  readonly config?: string
  readonly set?: readonly string[]
  readonly print?: boolean
  readonly json?: boolean
  readonly template?: string
}

/** Prints every finding of every file. 5 with findings, 2 when a file cannot be read or parsed; the others are checked all the same. */
export async function check(files: readonly string[], flags: CheckFlags): Promise<number> {
  let code: number = exitCodes.done
  for (const file of files) {
    try {
      const { kind, findings } = await checkFile(file, flags)
      for (const finding of findings) {
        if (flags.json === true) await printJson({ file, kind, ...finding })
        else await print(`${file}: ${findingLine(finding)}`)
      }
      if (findings.length === 0) say(`${file}: ${kind} is good`)
      else if (code === exitCodes.done) code = exitCodes.findings
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      report(error)
      code = exitCodeOf(error)
    }
  }
  return code
}

interface Result {
  readonly kind: Kind
  readonly findings: readonly Finding[]
}

async function checkFile(file: string, flags: CheckFlags): Promise<Result> {
  const text = await readText(file)
  const kind = kindOf(flags.as) ?? detect(file, text)
  if (kind === 'config') {
    const loaded = loadConfig({ file, env: process.env, flags: flagValues(flags.set) })
    if (flags.print === true) await print(printConfig(loaded))
    return { kind, findings: await checkConfig(loaded) }
  }
  const loaded = loadConfig({ file: flags.config, env: {}, flags: {} })
  const parts = await loadParts(loaded)
  try {
    const value = parsed(file, text)
    // as text, so that integers keep all their digits
    const structure = isWrapped(value) ? value : text
    const findings =
      kind === 'command'
        ? await checkCommands(value, parts, flags.template)
        : await structureFindings(structure, '', parts, flags.template)
    return { kind, findings }
  } finally {
    await parts.close()
  }
}

function kindOf(text: string | undefined): Kind | undefined {
  if (text === undefined) return undefined
  const kind = kinds.find((name) => name === text)
  if (kind === undefined) throw new CodedError('CLI_USAGE', `--as ${text}: must be one of ${kinds.join(', ')}`)
  return kind
}

/** By extension and keys: a command has `cmd`, a structure has `children`, a config has our sections. */
function detect(file: string, text: string): Kind {
  if (/\.(toml|ya?ml)$/i.test(file)) return 'config'
  const value = parsed(file, text)
  const keys = Array.isArray(value) ? ['commands'] : Object.keys(value ?? {})
  if (keys.includes('cmd') || (keys.length === 1 && keys[0] === 'commands' && isCommandList(value))) return 'command'
  if (keys.includes('streams') && isStreamFile(value)) return 'command'
  if (keys.includes('children') || keys.includes('nexus_structure')) return 'structure'
  if (keys.some((key) => Object.hasOwn(configSchema.properties, key))) return 'config'
  throw new CodedError('FILE_READ', `${file}: neither config, structure nor command; say which with --as KIND`)
}

function parsed(file: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw new CodedError('FILE_READ', `${file} is no valid JSON: ${(cause as Error).message}`, { cause })
  }
}

const isWrapped = (value: unknown): value is { nexus_structure: unknown } =>
  typeof value === 'object' && value !== null && 'nexus_structure' in value

/** Streams of the forwarder of 2018. */
const isStreamFile = (value: unknown): boolean => Array.isArray((value as { streams?: unknown }).streams)

const isCommandList = (value: unknown): boolean =>
  Array.isArray(value) || Array.isArray((value as { commands?: unknown }).commands)

/** All findings: the schema's, the plugins', the options' of services and reporters, the start-up commands'. */
export async function checkConfig(loaded: LoadedConfig): Promise<readonly Finding[]> {
  if (loaded.findings.length > 0) return loaded.findings
  let parts: Loaded
  try {
    parts = await loadParts(loaded)
  } catch (error) {
    return [findingOf(error)]
  }
  try {
    return [
      ...kafkaFindings(loaded),
      ...(await dialectFindings(loaded, parts)),
      ...sectionFindings(loaded, parts, 'services'),
      ...sectionFindings(loaded, parts, 'reporters'),
      ...(await fileFindings(loaded, parts))
    ]
  } finally {
    await parts.close()
  }
}

/** Brokers may come later (`--brokers`, a variable), everything else must be right. */
function kafkaFindings({ config }: LoadedConfig): Finding[] {
  const named =
    'brokers' in config.kafka || 'bootstrap.servers' in config.kafka || 'metadata.broker.list' in config.kafka
  if (!named) say('no brokers are named; give them by NEXSTREAM_BROKERS or --brokers when it runs')
  try {
    kafkaSettings(named ? config.kafka : { ...config.kafka, brokers: ['localhost:9092'] })
    return []
  } catch (error) {
    return [findingOf(error)]
  }
}

/** Every entry needs dialects that exist and a place for its answers. */
async function dialectFindings({ config }: LoadedConfig, { host }: Loaded): Promise<Finding[]> {
  const known = new Set([...(await loadDialects()).map(({ id }) => id), ...host.ids('dialect')])
  const { listen, topic } = config.commands
  const unanswered = (path: string): Finding[] =>
    config.status.topic === undefined
      ? [{ code: 'CONFIG_INVALID', path, message: 'its answers have no topic: give status.topic or reply_topic' }]
      : []
  return [
    ...(topic === undefined ? [] : unanswered('/commands/topic')),
    ...listen.flatMap((entry, i) => [
      ...(entry.reply_topic === undefined ? unanswered(`/commands/listen/${i}/topic`) : []),
      ...entry.dialects.flatMap((id, n): Finding[] => {
        if (known.has(id)) return []
        const message = `unknown dialect '${id}'; known are ${[...known].toSorted().join(', ')}`
        return [{ code: 'CONFIG_INVALID', path: `/commands/listen/${i}/dialects/${n}`, message }]
      })
    ])
  ]
}

function findingOf(error: unknown): Finding {
  if (!(error instanceof CodedError)) throw error
  return { code: error.code, path: error.path ?? '/', message: error.message }
}

function sectionFindings({ config }: LoadedConfig, { host }: Loaded, section: 'services' | 'reporters'): Finding[] {
  const kind = section === 'services' ? 'service' : 'reporter'
  return Object.entries(config[section]).flatMap(([id, options]) => {
    if (options === false) return []
    const part = host.part(kind, id)
    const path = `/${section}/${id}`
    if (part === undefined)
      return [{ code: 'CONFIG_INVALID', path, message: `no plugin brings '${id}'; known are ${host.ids(kind).join(', ')}` }] // prettier-ignore
    const filled = kind === 'service' ? options : reporterOptions(part as ReporterPart, options, config.status.topic)
    if (filled === undefined) return []
    const checked = structuredClone(filled)
    const findings = checkSchema(part.config, checked, path)
    if (findings.length > 0 || kind === 'reporter') return findings
    return inspected(part as ServicePart, checked, undefined, host, path)
  })
}

/** What the service itself says of its options, or of a command for it. */
function inspected(
  part: ServicePart,
  options: unknown,
  command: Command | undefined,
  host: Loaded['host'],
  at: string
): Finding[] {
  const lookup: PartLookup = {
    source: (id) => host.part('source', id),
    converter: (id) => host.part('converter', id),
    ids: (kind) => host.ids(kind),
    check: (schema, value, path) => checkSchema(schema, value, path)
  }
  const findings = part.inspect?.(options as never, command, lookup) ?? []
  return findings.map((finding) => ({ ...finding, path: at + finding.path }))
}

async function fileFindings({ config, baseFolder }: LoadedConfig, parts: Loaded): Promise<readonly Finding[]> {
  if (config.commands.file === undefined) return []
  try {
    const file = resolve(baseFolder, config.commands.file)
    return await checkCommands(parsed(file, await readText(file)), parts)
  } catch (error) {
    return [findingOf(error)]
  }
}

/** One command, a list, or `{"commands": […]}`; structures in them are checked too. */
async function checkCommands(value: unknown, parts: Loaded, template?: string): Promise<readonly Finding[]> {
  const definitions = await loadCommands()
  let list: readonly unknown[] | undefined
  try {
    list = commandsIn(value, await loadDialects())
  } catch (error) {
    return [findingOf(error)]
  }
  const check = (command: unknown, at: string): Promise<readonly Finding[]> =>
    commandAndStructure(command as Command, at, definitions, parts, template)
  if (list === undefined) return check(value, '')
  // a file of another tool is one command: its paths are those of the file
  const at = Array.isArray(value) ? '' : isCommandList(value) ? '/commands' : undefined
  const findings: Finding[] = []
  for (const [i, command] of list.entries())
    findings.push(...(await check(command, at === undefined ? '' : `${at}/${i}`)))
  return findings
}

async function commandAndStructure(
  command: Command,
  at: string,
  definitions: Awaited<ReturnType<typeof loadCommands>>,
  parts: Loaded,
  template?: string
): Promise<readonly Finding[]> {
  const findings = commandFindings(command, definitions).map((finding) => ({
    ...finding,
    path: finding.path === '/' && at !== '' ? at : at + finding.path
  }))
  if (findings.length > 0) return findings
  const structure = command['nexus_structure']
  const service = definitions.find(({ cmd, service: of }) => cmd === command.cmd && of === command.service)?.service
  const part = service === undefined ? undefined : parts.host.part('service', service)
  if (part !== undefined) findings.push(...ofService(part, command, parts.host, at))
  return structure === undefined ? findings : structureFindings(structure, `${at}/nexus_structure`, parts, template)
}

/** With the defaults of the service: a command stands for itself. */
function ofService(part: ServicePart, command: Command, host: Loaded['host'], at: string): Finding[] {
  const options: Record<string, unknown> = {}
  return checkSchema(part.config, options).length > 0 ? [] : inspected(part, options, command, host, at)
}

async function structureFindings(
  value: unknown,
  at: string,
  { host }: Loaded,
  template: string | undefined
): Promise<readonly Finding[]> {
  const inner = isWrapped(value) ? value.nexus_structure : value
  const path = isWrapped(value) ? `${at}/nexus_structure` : at
  const over = template === undefined ? {} : { template: await readTemplate(template) }
  return checkStructure(inner, partsOf(host), { at: path, ...over }).findings
}
