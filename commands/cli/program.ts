// The `nexstream` program: global options, `run`, and what plugins bring; the code of each is loaded only when it runs.
import { Command, CommanderError } from 'commander'
import { CodedError } from '../../core/api/errors.js'
import { meant } from '../../core/api/nearest.js'
import { type ToolPart } from '../../core/api/plugin.js'
import { type Loaded } from '../../core/loader.js'
import { version } from '../../core/root.js'
import { exitCodeHelp, exitCodeOf, exitCodes, report } from './exit.js'
import { colourings, paint, settings } from './io.js'
import { parseDuration } from '../../core/api/duration.js'
import { addMade, addTool } from './tool.js'
import type { RunFlags } from './run.js'
import { type Brought, broughtBy, loadFor, loadTools, toolsOf } from './program-plugins.js'
import { type Ends, type Outcome, withSet } from './program-options.js'

/** Columns of a help that goes to no terminal. */
const HELP_WIDTH = 80

/**
 * The program; `finish` gets the exit code of the sub-command that ran. `brought`: what the plugins of the config add to it;
 * `own`: those of ours that bring tools only, which are there whatever the config says.
 */
export function createProgram(
  finish: (code: number) => void = () => undefined,
  brought?: Brought,
  own?: Loaded
): Command {
  const program = new Command('nexstream')
  const ends =
    <A extends unknown[]>(run: (...args: A) => Outcome) =>
    async (...args: A): Promise<void> =>
      finish((await run(...args)) ?? exitCodes.done)
  program
    .description('Data streaming of a neutron or muon facility: EPICS and events to Kafka, Kafka to files.')
    .version(version)
    .option('-v, --verbose', 'say more; errors with their stack')
    .option('-q, --quiet', 'data and errors only')
    .option('--color <when>', `${colourings.join(', ')}: colours on terminals only, also elsewhere, or nowhere`, 'auto')
    .option('--timeout <duration>', 'give up waiting after this long, e.g. 500ms, 10s, 5min', '10s')
    .addHelpText('after', exitCodeHelp)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, 'CLI_USAGE: ')),
      getOutHelpWidth: () => process.stdout.columns || Number(process.env['COLUMNS']) || HELP_WIDTH
    })
    // Names alone leave room for what they do; the rest is in the help of each
    .configureHelp({ minWidthToWrap: 20, sortSubcommands: true, subcommandTerm: (command) => command.name() })
    .showHelpAfterError("See 'nexstream help [command]'.")
    .hook('preAction', () => {
      const { verbose, quiet, timeout, color } = program.opts<{
        verbose?: true
        quiet?: true
        timeout: string
        color: string
      }>()
      settings.verbose = verbose === true
      settings.quiet = quiet === true
      settings.timeoutMs = parseDuration(timeout)
      paint(color)
    })
  addRun(program, ends)
  const shown = brought?.loaded ?? own
  if (own !== undefined) for (const tool of toolsOf(own)) addTool(program, tool, { from: own, shown, ends })
  if (brought === undefined) return program
  const isOwn = ({ id }: ToolPart): boolean =>
    own !== undefined && own.host.owner('tool', id) === brought.loaded.host.owner('tool', id)
  const { loaded } = brought
  const theirs = brought.tools.filter((tool) => !isOwn(tool))
  for (const tool of theirs) addTool(program, tool, { from: loaded, ends })
  if (own !== undefined) for (const tool of toolsOf(own)) addMade(program, tool, { from: own, shown, ends }, brought)
  for (const tool of theirs) addMade(program, tool, { from: loaded, ends }, brought)
  return program
}

function addRun(program: Command, ends: Ends): void {
  withSet(program.command('run').description('run the daemon until SIGINT, SIGTERM or the command `exit`'))
    .argument('[config]', 'config file (TOML, YAML, JSON); default $NEXSTREAM_CONFIG')
    .option('-b, --brokers <list>', 'brokers; overrides the config')
    .action(ends(async (file: string | undefined, flags: RunFlags) => (await import('./run.js')).run(file, flags)))
}

/** `help nothing` would show the help of the whole. */
function requireKnown(program: Command, [help, word]: readonly string[]): void {
  const names = program.commands.map((command) => command.name())
  if (help === 'help' && word !== undefined && !word.startsWith('-') && !names.includes(word))
    throw new CodedError('CLI_USAGE', `unknown command '${word}'${meant(word, names)}; 'nexstream --help' lists them`)
}

/** Parses, runs, and gives the exit code; never throws. */
export async function main(argv: readonly string[]): Promise<number> {
  let code: number = exitCodes.done
  let own: Loaded | undefined
  let loaded: Loaded | undefined
  try {
    own = await loadTools()
    loaded = await loadFor(argv.slice(2), toolsOf(own))
    const brought = loaded && (await broughtBy(loaded))
    const program = createProgram((result) => (code = result), brought, own)
    requireKnown(program, argv.slice(2))
    await program.parseAsync([...argv])
    return code
  } catch (error) {
    // Commander has said it already; --help and --version come this way, too
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage
    report(error)
    return exitCodeOf(error)
  } finally {
    await loaded?.close()
    await own?.close()
  }
}
