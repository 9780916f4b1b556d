// Sub-commands and options that plugins bring, as the program knows them; and what such a tool sees of the terminal.
import { type Command, Option } from 'commander'
import { CodedError } from '../api/errors.js'
import { type Terminal, type ToolContext, type ToolFlags, type ToolOption, type ToolPart } from '../api/plugin.js'
import { type Loaded } from '../loader.js'
import { lookupOf } from '../lookup.js'
import { readText } from './decode.js'
import { colour, findingLine, print, printJson, say, table, visible } from './io.js'
import { bytes } from './jobs.js'
import { parseMoment } from './parse.js'
import { type Ends, json, withConfig } from './program-options.js'

export const terminal: Terminal = {
  print,
  printJson,
  say,
  sayFinding: (finding) => say(findingLine(finding)),
  table,
  bold: (text) => colour.bold(text),
  bytes,
  visible
}

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
  const command = json(withConfig(program.command(part.id).description(part.summary)))
  for (const { name, summary, optional } of part.arguments ?? [])
    command.argument(optional === true ? `[${name}]` : `<${name}>`, summary)
  addOptions(command, part.options ?? [])
  const count = part.arguments?.length ?? 0
  command.action(
    // Commander gives the arguments, then the options, then the command
    ends(async (...given) => {
      const context: ToolContext = { ...terminal, parts: lookupOf(host), readText, moment: (text) => parseMoment(text) }
      const run = await part.load()
      return run(given.slice(0, count) as (string | undefined)[], given[count] as ToolFlags, context)
    })
  )
}
