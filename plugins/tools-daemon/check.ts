// `nexstream check`: what is wrong with a config, a command or a file that a service knows, before anything runs.
import { open } from 'node:fs/promises'
import {
  CodedError,
  exitCodes,
  type BinaryFileKind,
  type FileKind,
  type Finding,
  findingOf,
  type Inspection,
  type JsonFileKind,
  type Told,
  type ToolContext,
  type ToolFlags,
  type ToolRun,
  visible,
  writeJson
} from '../../core/api/plugin.js'
import { readCommandJson } from '../../schemas/index.js'
import { kindsOf } from './check-options.js'

/** Prints every finding of every file. 5 with findings, 2 when a file cannot be read or parsed; the others are checked all the same. */
const check: ToolRun = async (files, flags, context) => {
  const { print, printJson, say, sayError } = context
  const inspection = await context.inspection()
  let code: number = exitCodes.done
  for (const file of files) {
    if (file === undefined) continue
    try {
      const { kind, findings } = await checkFile(file, flags, context, inspection)
      for (const finding of findings) {
        if (flags['json'] === true) await printJson({ file, kind, ...finding })
        else await print(`${file}: ${kindOf(finding)}${lineOf(finding)}`)
      }
      const warnings = findings.filter(({ warning }) => warning === true).length
      const wrong = findings.filter(({ warning, met }) => warning !== true && met !== true).length
      if (wrong > 0) code = code === exitCodes.done ? exitCodes.findings : code
      else
        say(`${file}: ${kind} is good${warnings === 0 ? '' : `, with ${warnings} warning${warnings === 1 ? '' : 's'}`}`)
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      code = sayError(error)
    }
  }
  return code
}

export default check

/** Only what is told by rules says what is met and what not. */
function kindOf({ met, warning }: Told): string {
  if (met === true) return 'met: '
  return warning === true ? 'warning: ' : met === false ? 'not met: ' : ''
}

const lineOf = ({ code, path, message }: Finding): string => visible(`${code} ${path} ${message}`)

interface Result {
  readonly kind: string
  readonly findings: readonly Told[]
}

async function checkFile(
  file: string,
  flags: ToolFlags,
  context: ToolContext,
  inspection: Inspection
): Promise<Result> {
  const named = kindNamed(flags['as'], inspection)
  const binary = named ?? (await detectBinary(file, inspection))
  if (typeof binary === 'object' && 'inspectFile' in binary)
    return { kind: binary.id, findings: await binary.inspectFile(file, flags) }
  const text = await context.readText(file)
  const kind = binary ?? detect(file, text, inspection)
  if (kind === 'config') {
    const { findings, text: merged } = await inspection.config(file, async (startUp, its) => {
      try {
        return checkCommands(readCommands(startUp, await context.readText(startUp)), its)
      } catch (error) {
        return [findingOf(error)]
      }
    })
    if (flags['print'] === true) await context.print(merged)
    return { kind, findings }
  }
  if (kind === 'command') return { kind, findings: await checkCommands(readCommands(file, text), inspection) }
  const content = parsed(file, () => JSON.parse(text))
  const findings = await kind.inspect({ content, text }, context.parts, flags, inspection.checkedFor())
  return { kind: kind.id, findings }
}

type Kind = 'config' | 'command' | JsonFileKind

/** By its first bytes; undefined for texts, and for what cannot be read: reading it says why. */
async function detectBinary(file: string, { files }: Inspection): Promise<BinaryFileKind | undefined> {
  if (file === '-') return undefined
  try {
    const handle = await open(file)
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(512), 0, 512, 0)
      const head = buffer.subarray(0, bytesRead)
      return files.filter((kind) => 'begins' in kind).find((kind) => kind.begins(head))
    } finally {
      await handle.close()
    }
  } catch {
    return undefined
  }
}

function kindNamed(id: ToolFlags[string], { files }: Inspection): Kind | FileKind | undefined {
  if (id === undefined || id === 'config' || id === 'command') return id
  const kind = files.find((one) => one.id === id)
  if (kind !== undefined) return kind
  throw new CodedError('CLI_USAGE', `--as ${String(id)}: must be one of ${kindsOf(files).join(', ')}`)
}

/** By extension and keys: a command has `cmd` or is a list that a dialect knows, a config has our sections, the rest services know. */
function detect(file: string, text: string, inspection: Inspection): Kind {
  if (/\.(toml|ya?ml)$/i.test(file)) return 'config'
  const { files, sections } = inspection
  const content = parsed(file, () => JSON.parse(text))
  const keys = Object.keys(content ?? {})
  if (keys.includes('cmd') || isCommandFile(content, keys, inspection)) return 'command'
  const kind = files.filter((one) => 'is' in one).find((one) => one.is(content))
  if (kind !== undefined) return kind
  if (keys.some((key) => sections.includes(key))) return 'config'
  throw new CodedError('FILE_READ', `${file} is none of ${kindsOf(files).join(', ')}; say which with --as KIND`)
}

function isCommandFile(content: unknown, keys: readonly string[], { commandsIn }: Inspection): boolean {
  // A config has a section of this name
  if (keys.includes('commands') && keys.length > 1) return false
  try {
    return commandsIn(content) !== undefined
  } catch {
    return true // Of a dialect, and broken
  }
}

/** With the digits of numbers kept. */
const readCommands = (file: string, text: string): unknown => parsed(file, () => readCommandJson(text))

function parsed(file: string, parse: () => unknown): unknown {
  try {
    return parse()
  } catch (cause) {
    throw new CodedError('FILE_READ', `${file} is no valid JSON: ${(cause as Error).message}`, { cause })
  }
}

const isCommandList = (value: unknown): boolean =>
  Array.isArray(value) || Array.isArray((value as { commands?: unknown }).commands)

/** One command, a list, or `{"commands": […]}`. */
async function checkCommands(value: unknown, inspection: Inspection): Promise<readonly Finding[]> {
  let list: readonly unknown[] | undefined
  try {
    list = inspection.commandsIn(value)
  } catch (error) {
    return [findingOf(error)]
  }
  if (list === undefined) return checkOne(value, inspection)
  // A file of another tool is one command: its paths are those of the file
  const at = Array.isArray(value) ? '' : isCommandList(value) ? '/commands' : undefined
  const findings: Finding[] = []
  for (const [i, command] of list.entries()) {
    const below = at === undefined ? '' : `${at}/${i}`
    for (const { path, ...finding } of await inspection.command(command))
      findings.push({ ...finding, path: path === '/' && below !== '' ? below : below + path })
  }
  return findings
}

/** A command of ours, or one in the JSON of another dialect: a path is then that of what it means. */
async function checkOne(value: unknown, { command, commands, dialects }: Inspection): Promise<readonly Finding[]> {
  const cmd = (value as { cmd?: unknown } | null)?.cmd
  if (typeof cmd !== 'string' || commands.some((known) => known.cmd === cmd)) return command(value)
  const message = Buffer.from(writeJson(value))
  for (const dialect of dialects)
    try {
      const meant = dialect.id === 'json' ? undefined : dialect.decode(message)
      if (meant !== undefined) return await command(meant)
    } catch (error) {
      // A command that a dialect does not know may be another's
      if (!(error instanceof CodedError && error.code === 'COMMAND_UNKNOWN')) return [findingOf(error)]
    }
  return command(value)
}
