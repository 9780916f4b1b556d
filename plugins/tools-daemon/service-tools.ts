// `nexstream start SERVICE`, `stop SERVICE` and the like: one sub-command for each command of a service, with its keys in the help.
import { type KnownCommand, defineTool, type ToolPart, visibleJson, writeJson } from '../../core/api/plugin.js'
import { commandTopics, pairs } from './command-options.js'
import { optionRows } from './schema-table.js'

/** One tool for each `cmd`, with one below it for each service that knows it. */
export function toolsOfServices(commands: readonly KnownCommand[]): ToolPart[] {
  const ofServices = commands.filter(({ service }) => service !== undefined)
  return [...new Set(ofServices.map(({ cmd }) => cmd))].map((cmd) =>
    defineTool({
      id: cmd,
      summary: `send '${cmd}' to a service`,
      tools: ofServices.filter((command) => command.cmd === cmd).map(toolOf)
    })
  )
}

const toolOf = ({ cmd, service = '', summary, schema, examples }: KnownCommand): ToolPart =>
  defineTool({
    id: service,
    summary,
    usesKafka: true,
    arguments: [pairs],
    options: commandTopics,
    helpBelow: keysHelp(schema, examples),
    load: async () => (await import('./send.js')).commandTool(cmd, service)
  })

/** Keys with type, default and meaning, then the examples. */
function keysHelp(schema: KnownCommand['schema'], examples: KnownCommand['examples']): string {
  const own = optionRows(schema)
  const rows = own.map(([name, type, standard, meaning]) => {
    const more = [type, standard === '' ? '' : standard === 'required' ? standard : `default ${standard}`]
    return `  ${name.padEnd(24)} ${more.filter(Boolean).join(', ')}\n${' '.repeat(27)}${meaning}`
  })
  const keys = rows.length === 0 ? '' : `\nKeys:\n${rows.join('\n')}\n`
  const shown = examples.map((example) => `  ${visibleJson(writeJson(example))}`)
  return `${keys}\nExamples (JSON, for nexstream send):\n${shown.join('\n')}`
}
