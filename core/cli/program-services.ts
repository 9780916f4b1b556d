// `nexstream start SERVICE`, `stop SERVICE` and the like: one sub-command for each command of a service, with its keys in the help.
import { type Command } from 'commander'
import { type RunnableCommand } from '../commands.js'
import type { CommandFlags } from './command-client.js'
import { toJson } from './io.js'
import { type Ends } from './program-options.js'
import { withCommand } from './program-online.js'
import { optionRows } from './schema-table.js'

const pairs = 'key=value, key=JSON, key=@file.json; …_time also takes now, +10s, -5min'

export function addServices(program: Command, commands: readonly RunnableCommand[], ends: Ends): void {
  const taken = new Map(program.commands.map((command) => [command.name(), command]))
  const mine = new Set(['start', 'stop'])
  for (const { cmd, service, summary, schema, examples } of commands) {
    // `status` and the like are sub-commands of their own
    if (service === undefined || (taken.has(cmd) && !mine.has(cmd))) continue
    const parent = taken.get(cmd) ?? program.command(cmd).description(`send '${cmd}' to a service`)
    taken.set(cmd, parent)
    mine.add(cmd)
    withCommand(parent.command(service).description(summary))
      .argument('[pairs...]', pairs)
      .addHelpText('after', keysHelp(schema, examples))
      .action(
        ends(async (given: string[], flags: CommandFlags) =>
          (await import('./send.js')).command(cmd, service, given, flags)
        )
      )
  }
}

/** Keys with type, default and meaning, then the examples. */
function keysHelp(schema: RunnableCommand['schema'], examples: RunnableCommand['examples']): string {
  const own = optionRows(schema)
  const rows = own.map(([name, type, standard, meaning]) => {
    const more = [type, standard === '' ? '' : standard === 'required' ? standard : `default ${standard}`]
    return `  ${name.padEnd(24)} ${more.filter(Boolean).join(', ')}\n${' '.repeat(27)}${meaning}`
  })
  const keys = rows.length === 0 ? '' : `\nKeys:\n${rows.join('\n')}\n`
  return `${keys}\nExamples (JSON, for nexstream send):\n${examples.map((example) => `  ${toJson(example)}`).join('\n')}`
}
