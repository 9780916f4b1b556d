// What plugins add to the program: tools, kinds of files to check, commands of services. Loaded only when it is needed.
import { type FileKind, type ToolPart } from '../../core/api/plugin.js'
import { type RunnableCommand, loadCommands } from '../../core/commands.js'
import { CodedError } from '../../core/api/errors.js'
import { builtinNames, type Loaded, loadConfigured, loadPlugins } from '../../core/loader.js'
import { type ConfigFlags, configOf } from './config.js'
import { say } from './io.js'

export interface Brought {
  readonly loaded: Loaded
  readonly tools: readonly ToolPart[]
  readonly files: readonly FileKind[]
  readonly commands: readonly RunnableCommand[]
}

export async function broughtBy(loaded: Loaded): Promise<Brought> {
  const { host } = loaded
  return {
    loaded,
    tools: toolsOf(loaded),
    files: host.ids('service').flatMap((id) => host.part('service', id)?.files ?? []),
    commands: await loadCommands(host)
  }
}

export const toolsOf = ({ host }: Loaded): ToolPart[] => host.ids('tool').flatMap((id) => host.part('tool', id) ?? [])

/**
 * The plugins of ours that bring tools only. The command line has them whatever `builtin_plugins` says and without a config: they
 * are needed before a daemon runs.
 */
export const loadTools = (): Promise<Loaded> =>
  loadPlugins({ plugins: [], baseFolder: '.', builtin: builtinNames().filter((name) => name.startsWith('tools-')) })

/** Sub-commands whose words are complete without plugins, so that a config that cannot be loaded is no obstacle. */
const content = new Set([undefined, 'help'])

/** The plugins of the config that the command line names, when its sub-command may need them; close them in the end. */
export async function loadFor(args: readonly string[], tools: readonly ToolPart[]): Promise<Loaded | undefined> {
  const word = args.find((arg, i) => !arg.startsWith('-') && !['--timeout', '--color', '-c', '--config', '--set'].includes(args[i - 1] ?? '')) // prettier-ignore
  const asks = (...names: readonly string[]): boolean => args.some((arg) => names.includes(arg))
  const tool = tools.find(({ id }) => id === word)
  const isPlain = word === 'run' || (tool !== undefined && tool.needsPlugins !== 'always')
  if (isPlain && !(tool?.needsPlugins === 'help' && asks('-h', '--help'))) return undefined
  if (word === undefined && asks('-V', '--version')) return undefined
  const flags = configFlags(args)
  try {
    return await loadConfigured(configOf(flags))
  } catch (error) {
    if (!(error instanceof CodedError) || flags.config !== undefined) throw error
    if (!content.has(word) && tool === undefined) throw error
    say(`without the plugins of the config: ${error.message}`)
    return loadPlugins({ plugins: [], baseFolder: process.cwd() })
  }
}

/** `--config` and `--set`, wherever they stand. */
function configFlags(args: readonly string[]): ConfigFlags {
  const valuesOf = (...names: readonly string[]): string[] =>
    args.flatMap((arg, i) => {
      if (names.includes(arg)) return args[i + 1] ?? []
      const name = names.find((name) => name.startsWith('--') && arg.startsWith(`${name}=`))
      return name === undefined ? [] : arg.slice(name.length + 1)
    })
  const config = valuesOf('-c', '--config').at(-1)
  return { set: valuesOf('--set'), ...(config !== undefined && { config }) }
}
