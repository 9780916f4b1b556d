// docs/reference/cli.md: the help of every sub-command, as the program prints it.
import { type Command } from 'commander'
import { createProgram } from '../../commands/cli/program.js'
import { broughtBy } from '../../commands/cli/program-plugins.js'
import { type Loaded } from '../../core/loader.js'
import { block, type Page, reference } from './markdown.js'

const intro = `Data go to standard output, talk to standard error. \`--json\` prints one JSON object a line. Output is whole when piped, and a reader that goes
away (\`| head\`) is no error. The global options (\`-v\`, \`-q\`, \`--timeout\`) may stand anywhere. Colours only on a terminal, and not with \`NO_COLOR\`.`

/** Every command with its full name, the program first; those that only group others are left out below it. */
export function allCommands(command: Command, path: readonly string[] = []): { name: string; command: Command }[] {
  const own = [...path, command.name()]
  return [{ name: own.join(' '), command }, ...command.commands.flatMap((child) => allCommands(child, own))]
}

export function helpText(command: Command): string {
  command.configureOutput({ getOutHelpWidth: () => 110, getOutHasColors: () => false })
  const lines: string[] = []
  command.configureOutput({ writeOut: (text) => lines.push(text) })
  command.outputHelp()
  return lines.join('')
}

export async function cliPage(loaded: Loaded): Promise<Page> {
  const program = createProgram(undefined, await broughtBy(loaded))
  const parts = allCommands(program).flatMap(({ name, command }) => [`## ${name}`, block('text', helpText(command))])
  return reference('cli', 'Command line', 'commands/cli/program.ts', intro, ...parts)
}
