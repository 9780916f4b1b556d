// `nexstream check`: what is wrong with a config, a command or a file that a service knows, before anything runs.
import { resolve } from 'node:path'
import { CodedError } from '../api/errors.js'
import {
  type CheckedFor,
  type Command,
  type FileKind,
  type Finding,
  type ServicePart,
  type ToolFlags
} from '../api/plugin.js'
import { writeJson } from '../api/json.js'
import { check as checkSchema } from '../check.js'
import { commandsIn, readCommands } from '../command-file.js'
import { loadCommands, loadDialects, understand } from '../commands.js'
import { type LoadedConfig, loadConfig, printConfig } from '../config.js'
import { configSchema } from '../config-schema.js'
import { type Host } from '../host.js'
import { configured, listenFindings, listensOf } from '../inspect.js'
import { kafkaSettings } from '../kafka/options.js'
import { type Loaded, loadConfigured } from '../loader.js'
import { lookupOf } from '../lookup.js'
import { flagValues } from './config.js'
import { readText } from './input.js'
import { exitCodeOf, exitCodes, report } from './exit.js'
import { findingLine, print, printJson, say } from './io.js'
import { type Brought } from './program-plugins.js'

export interface CheckFlags extends Pick<ToolFlags, never> {
  readonly as?: string
  readonly config?: string
  readonly set?: readonly string[]
  readonly print?: boolean
  readonly json?: boolean
}

/** Prints every finding of every file. 5 with findings, 2 when a file cannot be read or parsed; the others are checked all the same. */
export async function check(files: readonly string[], flags: CheckFlags, brought: Brought): Promise<number> {
  let code: number = exitCodes.done
  for (const file of files) {
    try {
      const { kind, findings } = await checkFile(file, flags, brought)
      for (const finding of findings) {
        if (flags.json === true) await printJson({ file, kind, ...finding })
        else await print(`${file}: ${finding.warning === true ? 'warning: ' : ''}${findingLine(finding)}`)
      }
      const warnings = findings.filter(({ warning }) => warning === true).length
      if (findings.length > warnings) code = code === exitCodes.done ? exitCodes.findings : code
      else
        say(`${file}: ${kind} is good${warnings === 0 ? '' : `, with ${warnings} warning${warnings === 1 ? '' : 's'}`}`)
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      report(error)
      code = exitCodeOf(error)
    }
  }
  return code
}

interface Result {
  readonly kind: string
  readonly findings: readonly Finding[]
}

async function checkFile(file: string, flags: CheckFlags, { loaded, files }: Brought): Promise<Result> {
  const text = await readText(file)
  const kind = kindOf(flags.as, files) ?? (await detect(file, text, files, loaded.host))
  if (kind === 'config') {
    const config = loadConfig({ file, env: process.env, flags: flagValues(flags.set) })
    if (flags.print === true) await print(printConfig(config))
    return { kind, findings: await checkConfig(config) }
  }
  if (kind === 'command') {
    const content = await parsedCommands(file, text, loaded.host)
    return { kind, findings: await checkCommands(content, loaded.host, flags as ToolFlags) }
  }
  const content = parsed(file, text)
  const findings = await kind.inspect({ content, text }, lookupOf(loaded.host), flags as ToolFlags, checkedFor(flags))
  return { kind: kind.id, findings }
}

function checkedFor({ config: file }: CheckFlags): CheckedFor {
  if (file === undefined) return { dialects: [], services: {} }
  const { commands, services } = loadConfig({ file, env: {}, flags: {} }).config
  return { dialects: commands.listen.flatMap(({ dialects }) => dialects), services }
}

type Kind = 'config' | 'command' | FileKind

function kindOf(id: string | undefined, files: readonly FileKind[]): Kind | undefined {
  if (id === undefined || id === 'config' || id === 'command') return id
  const kind = files.find((one) => one.id === id)
  const known = ['config', 'command', ...files.map((one) => one.id)].join(', ')
  if (kind === undefined) throw new CodedError('CLI_USAGE', `--as ${id}: must be one of ${known}`)
  return kind
}

/** By extension and keys: a command has `cmd` or is a list that a dialect knows, a config has our sections, the rest services know. */
async function detect(file: string, text: string, files: readonly FileKind[], host: Host): Promise<Kind> {
  if (/\.(toml|ya?ml)$/i.test(file)) return 'config'
  const content = parsed(file, text)
  const keys = Object.keys(content ?? {})
  if (keys.includes('cmd') || (await isCommandFile(content, keys, host))) return 'command'
  const kind = files.find((one) => one.is(content))
  if (kind !== undefined) return kind
  if (keys.some((key) => Object.hasOwn(configSchema.properties, key))) return 'config'
  const known = ['config', 'command', ...files.map((one) => one.id)].join(', ')
  throw new CodedError('FILE_READ', `${file} is none of ${known}; say which with --as KIND`)
}

async function isCommandFile(content: unknown, keys: readonly string[], host: Host): Promise<boolean> {
  // A config has a section of this name
  if (keys.includes('commands') && keys.length > 1) return false
  try {
    return commandsIn(content, (await loadDialects(host)).values()) !== undefined
  } catch {
    return true // Of a dialect, and broken
  }
}

function parsed(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw noJson(file, cause)
  }
}

async function parsedCommands(file: string, text: string, host: Host): Promise<unknown> {
  try {
    return readCommands(text, (await loadDialects(host)).values())
  } catch (cause) {
    throw noJson(file, cause)
  }
}

const noJson = (file: string, cause: unknown): CodedError =>
  new CodedError('FILE_READ', `${file} is no valid JSON: ${(cause as Error).message}`, { cause })

const isCommandList = (value: unknown): boolean =>
  Array.isArray(value) || Array.isArray((value as { commands?: unknown }).commands)

/** All findings: the schema's, the plugins', the options' of services and reporters, the start-up commands'. */
async function checkConfig(given: LoadedConfig): Promise<readonly Finding[]> {
  if (given.findings.length > 0) return given.findings
  let loaded: Loaded
  try {
    loaded = await loadConfigured(given)
  } catch (error) {
    return [findingOf(error)]
  }
  try {
    const { host } = loaded
    const dialects = await loadDialects(host)
    const { topic } = given.config.status
    return [
      ...kafkaFindings(given),
      ...listensOf(given.config).flatMap((listen) => listenFindings(listen, topic, dialects)),
      ...(await serviceFindings(given, host)),
      ...configured('reporter', given.config, host).flatMap(({ findings }) => findings),
      ...(await fileFindings(given, host))
    ]
  } finally {
    await loaded.close()
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

function findingOf(error: unknown): Finding {
  if (!(error instanceof CodedError)) throw error
  return { code: error.code, path: error.path ?? '/', message: error.message }
}

async function serviceFindings({ config }: LoadedConfig, host: Host): Promise<Finding[]> {
  const found: Finding[] = []
  for (const { part, options, at, findings } of configured('service', config, host)) {
    found.push(...findings)
    if (part !== undefined && findings.length === 0) found.push(...(await inspected(part, options, { host, at })))
  }
  return found
}

/** What the service itself says of its options, or of a command for it. */
async function inspected(
  part: ServicePart,
  options: unknown,
  { command, host, at, flags = {} }: { command?: Command; host: Host; at: string; flags?: ToolFlags }
): Promise<Finding[]> {
  const findings = (await part.inspect?.(options as never, command, lookupOf(host), flags)) ?? []
  return findings.map((finding) => ({ ...finding, path: at + finding.path }))
}

async function fileFindings({ config, baseFolder }: LoadedConfig, host: Host): Promise<readonly Finding[]> {
  if (config.commands.file === undefined) return []
  try {
    const file = resolve(baseFolder, config.commands.file)
    return await checkCommands(await parsedCommands(file, await readText(file), host), host, {})
  } catch (error) {
    return [findingOf(error)]
  }
}

/** One command, a list, or `{"commands": […]}`. */
async function checkCommands(value: unknown, host: Host, flags: ToolFlags): Promise<readonly Finding[]> {
  let list: readonly unknown[] | undefined
  try {
    list = commandsIn(value, (await loadDialects(host)).values())
  } catch (error) {
    return [findingOf(error)]
  }
  if (list === undefined) return checkOne(value, host, flags)
  // A file of another tool is one command: its paths are those of the file
  const at = Array.isArray(value) ? '' : isCommandList(value) ? '/commands' : undefined
  const findings: Finding[] = []
  for (const [i, command] of list.entries())
    findings.push(...(await checkCommand(command, at === undefined ? '' : `${at}/${i}`, host, flags)))
  return findings
}

/** A command of ours, or one in the JSON of another dialect: a path is then that of what it means. */
async function checkOne(value: unknown, host: Host, flags: ToolFlags): Promise<readonly Finding[]> {
  const cmd = (value as { cmd?: unknown } | null)?.cmd
  const own = [...(await loadCommands(host)).values()]
  if (typeof cmd !== 'string' || own.some((known) => known.cmd === cmd)) return checkCommand(value, '', host, flags)
  const message = Buffer.from(writeJson(value))
  for (const dialect of (await loadDialects(host)).values())
    try {
      const meant = dialect.id === 'json' ? undefined : dialect.decode(message)
      if (meant !== undefined) return await checkCommand(meant, '', host, flags)
    } catch (error) {
      // A command that a dialect does not know may be another's
      if (!(error instanceof CodedError && error.code === 'COMMAND_UNKNOWN')) return [findingOf(error)]
    }
  return checkCommand(value, '', host, flags)
}

/** As the daemon would find it with all services, then as the service does, with the defaults of its options. */
async function checkCommand(value: unknown, at: string, host: Host, flags: ToolFlags): Promise<readonly Finding[]> {
  const command: unknown = structuredClone(value)
  const { found, findings } = understand(command, await loadCommands(host), () => true)
  if (findings.length > 0)
    return findings.map((finding) => ({ ...finding, path: finding.path === '/' && at !== '' ? at : at + finding.path }))
  const part = found?.service === undefined ? undefined : host.part('service', found.service)
  const options: Record<string, unknown> = {}
  if (part === undefined || checkSchema(part.config, options).length > 0) return findings
  return inspected(part, options, { command: command as Command, host, at, flags })
}
