// The `nexstream` program: global options, and the sub-commands that need no Kafka.
import { Command, CommanderError } from 'commander'
import { version } from '../root.js'
import type { CheckFlags } from './check.js'
import { exitCodeHelp, exitCodeOf, exitCodes, report } from './exit.js'
import { settings } from './io.js'
import type { MakeFileFlags } from '../../plugins/service-filewriter/tools/make-file.js'
import { parseDuration } from './parse.js'
import type { PluginsFlags } from './plugins.js'
import { addOnline } from './program-online.js'
import { collect, type Ends, json, type Outcome, withConfig } from './program-options.js'
import type { RepairFlags } from '../../plugins/service-filewriter/tools/repair.js'
import type { ShowFlags } from '../../plugins/service-filewriter/tools/show.js'

/** The program; `finish` gets the exit code of the sub-command that ran. */
export function createProgram(finish: (code: number) => void = () => undefined): Command {
  const program = new Command('nexstream')
  const ends =
    <A extends unknown[]>(run: (...args: A) => Outcome) =>
    async (...args: A): Promise<void> =>
      finish((await run(...args)) ?? exitCodes.done)
  program
    .description('Data streaming of a neutron or muon facility: EPICS and events to Kafka, Kafka to NeXus files.')
    .version(version)
    .option('-v, --verbose', 'say more; errors with their stack')
    .option('-q, --quiet', 'data and errors only')
    .option('--timeout <duration>', 'give up waiting after this long, e.g. 500ms, 10s, 5min', '10s')
    .addHelpText('after', exitCodeHelp)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'CLI_USAGE: ')) })
    .showHelpAfterError("See 'nexstream help [command]'.")
    .hook('preAction', () => {
      const { verbose, quiet, timeout } = program.opts<{ verbose?: true; quiet?: true; timeout: string }>()
      settings.verbose = verbose === true
      settings.quiet = quiet === true
      settings.timeoutMs = parseDuration(timeout)
    })
  addOnline(program, ends)
  addChecks(program, ends)
  addFiles(program, ends)
  addOthers(program, ends)
  return program
}

function addChecks(program: Command, ends: Ends): void {
  json(program.command('check').description('find what is wrong with configs, NeXus structures and commands'))
    .argument('<files...>', 'files to check; - is standard input')
    .option('--as <kind>', 'config, structure or command; default: told by the content')
    .option('--print', 'print the merged config, secrets hidden, with the origin of each value')
    .option('-c, --config <file>', 'config whose plugins to use for structures and commands')
    .option('--set <section.key=value>', 'override a config value; may be repeated', collect)
    .option('--template <file>', 'JSON or HDF5 file that structures are laid over')
    .action(ends(async (files: string[], flags: CheckFlags) => (await import('./check.js')).check(files, flags)))
  program
    .command('decode')
    .description('print message values in files as JSON lines')
    .argument('<files...>', 'each file is one message value; - is standard input')
    .action(ends(async (files: string[]) => (await import('./decode.js')).decode(files)))
}

function addFiles(program: Command, ends: Ends): void {
  json(program.command('show').description('summary of a NeXus file: groups, datasets, events, values'))
    .argument('<file>', 'NeXus (HDF5) file')
    .action(
      ends(async (file: string, flags: ShowFlags) =>
        (await import('../../plugins/service-filewriter/tools/show.js')).show(file, flags)
      )
    )
  json(program.command('repair').description('bring a file that a crash left behind into a readable state'))
    .argument('<file>', 'unfinished NeXus file')
    .action(
      ends(async (file: string, flags: RepairFlags) =>
        (await import('../../plugins/service-filewriter/tools/repair.js')).repair(file, flags)
      )
    )
  json(withConfig(program.command('make-file').description('write a NeXus file from a structure and messages, without Kafka'))) // prettier-ignore
    .argument('<structure>', 'JSON file with the nexus_structure')
    .argument(
      '[messages]',
      'JSON lines: {"topic", "value": base64} or {"topic", "file"} or {"topic", "schema", "record"}'
    )
    .requiredOption('-o, --output <file>', 'file to write')
    .option('--start <moment>', 'begin of the time window')
    .option('--stop <moment>', 'end of the time window')
    .option('--lenient', 'write what is good in the structure and list the rest')
    .option('--template <file>', 'JSON or HDF5 file that the structure is laid over')
    .option('--compression <filter>', 'of growing datasets: gzip or zstd, with a level as in gzip:6')
    .action(
      ends(async (structure: string, messages: string | undefined, flags: MakeFileFlags) =>
        (await import('../../plugins/service-filewriter/tools/make-file.js')).makeFile(structure, messages, flags)
      )
    )
}

function addOthers(program: Command, ends: Ends): void {
  const plugins = program.command('plugins').description('what is loaded and what it can do')
  json(withConfig(plugins.command('list').description('list the plugins and what they bring'))).action(
    ends(async (flags: PluginsFlags) => (await import('./plugins.js')).list(flags))
  )
  json(withConfig(plugins.command('docs').description('options of parts')))
    .argument('[id]', 'part id or plugin name')
    .action(ends(async (id: string | undefined, flags: PluginsFlags) => (await import('./plugins.js')).docs(id, flags)))
  program
    .command('completion')
    .description('print the completion script of a shell, e.g. `source <(nexstream completion bash)`')
    .argument('<shell>', 'bash, zsh or fish')
    .action(ends(async (shell: string) => (await import('./completion.js')).completion(shell, program)))
}

/** Parses, runs, and gives the exit code; never throws. */
export async function main(argv: readonly string[]): Promise<number> {
  let code: number = exitCodes.done
  try {
    await createProgram((result) => (code = result)).parseAsync([...argv])
    return code
  } catch (error) {
    // commander has said it already; --help and --version come this way, too
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage
    report(error)
    return exitCodeOf(error)
  }
}
