// Sub-commands and options that plugins bring, as the program knows them.
import { type Command, Option } from 'commander'
import { CodedError } from '../../core/api/errors.js'
import { type ToolFlags, type ToolOption, type ToolPart } from '../../core/api/plugin.js'
import { type Loaded } from '../../core/loader.js'
import { type Brought } from './program-plugins.js'
import { type Ends, json, withConfig, withKafka } from './program-options.js'

/** Who brings a tool, and whose parts it sees when it runs; default those of its bringer. */
interface Bringing {
  readonly from: Loaded
  readonly shown?: Loaded | undefined
  readonly ends: Ends
}

/** `--output <file>` and the like; one that the command has already is left out. */
function addOptions(command: Command, options: readonly ToolOption[]): void {
  for (const { flags, summary, required, standard } of options) {
    const option = new Option(flags, summary).makeOptionMandatory(required === true)
    if (standard !== undefined) option.default(standard)
    if (!command.options.some(({ long }) => long === option.long)) command.addOption(option)
  }
}

/** A sub-command of a plugin, with those below it; the plugins are loaded already. */
export function addTool(parent: Command, part: ToolPart, bringing: Bringing): void {
  if (part.id === 'help' || childOf(parent, part.id) !== undefined) {
    const text = `plugin ${bringing.from.host.owner('tool', part.id)}: 'nexstream ${part.id}' exists already; the tool needs another id`
    throw new CodedError('PLUGIN_DUPLICATE_ID', text)
  }
  const command = parent.command(part.id).description(part.summary)
  for (const { name, summary, optional, several } of part.arguments ?? []) {
    const word = several === true ? `${name}...` : name
    command.argument(optional === true ? `[${word}]` : `<${word}>`, summary)
  }
  if (part.load !== undefined) addRun(command, part, bringing)
  for (const tool of part.tools ?? []) addTool(command, tool, bringing)
}

const childOf = (parent: Command, id: string): Command | undefined =>
  parent.commands.find((command) => command.name() === id)

function addRun(command: Command, part: ToolPart, { from, shown = from, ends }: Bringing): void {
  const { common = ['config', 'json'], options = [], helpBelow } = part
  if (part.usesKafka === true) withKafka(command)
  else if (common.includes('config')) withConfig(command)
  if (common.includes('json')) json(command)
  addOptions(command, options)
  if (helpBelow !== undefined) command.addHelpText('after', ({ command: shown }) => wrapped(helpBelow, shown))
  const count = part.arguments?.length ?? 0
  command.action(
    // Commander gives the arguments, then the options, then the command
    ends(async (...given) => {
      const flags = given[count] as ToolFlags
      const [{ contextOf }, run] = await Promise.all([import('./tool-context.js'), part.load?.()])
      return run?.(
        given.slice(0, count).flat() as (string | undefined)[],
        flags,
        contextOf(shown.host, flags, rootOf(command))
      )
    })
  )
}

/** As wide as the rest of the help, the last column of a table below itself; commands to copy stay whole. */
function wrapped(text: string, command: Command): string {
  const width = command.configureOutput().getOutHelpWidth?.() ?? Infinity
  const help = command.createHelp()
  const fitted = (line: string): string => {
    if (line.length <= width || /^\s+(\{|nexstream )/.test(line)) return line
    const [, head = '', rest = ''] = /^(\s*(?:\S+(?: \S+)*\s{2,})?)(.*)$/.exec(line) ?? []
    return head + help.boxWrap(rest, width - head.length).replaceAll('\n', `\n${' '.repeat(head.length)}`)
  }
  return text.split('\n').map(fitted).join('\n')
}

const rootOf = (command: Command): Command => (command.parent === null ? command : rootOf(command.parent))

/** What a tool makes of what plugins bring; names of other plugins' tools are theirs. */
export function addMade(
  program: Command,
  tool: ToolPart,
  bringing: Bringing,
  { commands, files }: Pick<Brought, 'commands' | 'files'>
): void {
  const { host } = bringing.from
  const owner = host.owner('tool', tool.id)
  for (const made of tool.made?.(commands, files) ?? []) {
    const there = childOf(program, made.id)
    if (there === undefined) addTool(program, made, bringing)
    else if (host.owner('tool', made.id) === owner) {
      addOptions(there, made.options ?? [])
      for (const below of made.tools ?? []) addTool(there, below, bringing)
    }
  }
}
