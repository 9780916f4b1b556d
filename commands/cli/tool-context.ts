// What a tool of a plugin sees of the terminal, the config and Kafka.
import { type Command } from 'commander'
import { type LoadedPluginInfo, type ProgramEntry, type Terminal, type ToolContext } from '../../core/api/plugin.js'
import { type Host, partsOf } from '../../core/host.js'
import { type Loaded, loadConfigured } from '../../core/loader.js'
import { lookupOf } from '../../core/lookup.js'
import { configOf } from './config.js'
import { connect, type KafkaFlags } from './connect.js'
import { exitCodeOf, report } from './exit.js'
import { inspectionOf } from './inspection.js'
import { readInput, readText } from './input.js'
import { colour, findingLine, print, printJson, progress, say, settings, visible } from './io.js'

export const terminal: Terminal = {
  print,
  printJson,
  say,
  sayFinding: (finding) => say(findingLine(finding)),
  bold: (text) => colour.bold(text),
  colour,
  progress,
  visible
}

/** For a tool with these options; its plugin is among those loaded. */
export function contextOf(host: Host, flags: KafkaFlags, program: Command): ToolContext {
  return {
    ...terminal,
    parts: lookupOf(host),
    loadParts: async () => {
      const config = configOf(flags)
      if (config.config.plugins.length === 0) return undefined
      const loaded = await loadConfigured(config)
      return { parts: lookupOf(loaded.host), close: () => loaded.close() }
    },
    plugins: async () => {
      const loaded = await loadConfigured(configOf(flags))
      try {
        return pluginsOf(loaded)
      } finally {
        await loaded.close()
      }
    },
    program: () => entryOf(program),
    config: () => configOf(flags).config,
    connect: (address) => connect(address, flags),
    timeoutMs: settings.timeoutMs,
    readBytes: readInput,
    readText,
    sayError: (error) => {
      report(error)
      return exitCodeOf(error)
    },
    inspection: () => inspectionOf(host, flags)
  }
}

function pluginsOf({ host, plugins }: Loaded): LoadedPluginInfo[] {
  const parts = partsOf(host)
  return plugins.map(({ name, version, summary, builtin, file }) => {
    return { name, version, summary, builtin, file, parts: parts.filter(({ plugin }) => plugin === name) }
  })
}

function entryOf(command: Command): ProgramEntry {
  const options = command.options.flatMap(({ long }) => long ?? [])
  const args = command.registeredArguments.map((one) => ({ name: one.name(), summary: one.description }))
  const [name, summary, tools] = [command.name(), command.description(), command.commands.map(entryOf)]
  return { name, summary, options, arguments: args, tools }
}
