// Sub-commands and options that plugins bring, as the program knows them.
import { type Command, Option } from 'commander'
import { CodedError } from '../api/errors.js'
import { type ToolFlags, type ToolOption, type ToolPart } from '../api/plugin.js'
import { type Loaded } from '../loader.js'
import { type Ends, json, withConfig, withKafka } from './program-options.js'

/** `--output <file>` and the like; one that the command has already is left out. */
export function addOptions(command: Command, options: readonly ToolOption[]): void {
  for (const { flags, summary, required } of options) {
    const option = new Option(flags, summary).makeOptionMandatory(required === true)
    if (!command.options.some(({ long }) => long === option.long)) command.addOption(option)
  }
}

/** A sub-command of a plugin; the plugins are loaded already. */
export function addTool(program: Command, part: ToolPart, { host }: Loaded, ends: Ends): void {
  if (part.id === 'help' || program.commands.some((command) => command.name() === part.id)) {
    const text = `plugin ${host.owner('tool', part.id)}: 'nexstream ${part.id}' exists already; the tool needs another id`
    throw new CodedError('PLUGIN_DUPLICATE_ID', text)
  }
  const withOwn = part.usesKafka === true ? withKafka : withConfig
  const command = json(withOwn(program.command(part.id).description(part.summary)))
  for (const { name, summary, optional, several } of part.arguments ?? []) {
    const word = several === true ? `${name}...` : name
    command.argument(optional === true ? `[${word}]` : `<${word}>`, summary)
  }
  addOptions(command, part.options ?? [])
  const count = part.arguments?.length ?? 0
  command.action(
    // Commander gives the arguments, then the options, then the command
    ends(async (...given) => {
      const flags = given[count] as ToolFlags
      const [{ contextOf }, run] = await Promise.all([import('./tool-context.js'), part.load()])
      return run(given.slice(0, count).flat() as (string | undefined)[], flags, contextOf(host, flags))
    })
  )
}
