// The sub-commands that run the daemon and command it, with their options; the code of each is loaded only when it runs.
import { type Command } from 'commander'
import type { CommandFlags } from './command-client.js'
import { type Ends, json, withKafka, withSet } from './program-options.js'
import type { RunFlags } from './run.js'

export const withCommand = (command: Command): Command =>
  json(withKafka(command))
    .option('--topic <topic>', 'command topic; default that of the config')
    .option('--reply-topic <topic>', 'topic of the answers; default that of the config')

/** Run, kafka; send, start, stop. */
export function addOnline(program: Command, ends: Ends): void {
  addDaemon(program, ends)
  addCommands(program, ends)
}

function addDaemon(program: Command, ends: Ends): void {
  withSet(program.command('run').description('run the daemon until SIGINT, SIGTERM or the command `exit`'))
    .argument('[config]', 'config file (TOML, YAML, JSON); default $NEXSTREAM_CONFIG')
    .option('-b, --brokers <list>', 'brokers; overrides the config')
    .action(ends(async (file: string | undefined, flags: RunFlags) => (await import('./run.js')).run(file, flags)))
  program
    .command('kafka')
    .description('run a Kafka broker in the foreground, for trying things')
    .option('--port <n>', 'where it listens on 127.0.0.1', '9092')
    .action(ends(async (flags: { port: string }) => (await import('./kafka.js')).kafka(flags)))
}

function addCommands(program: Command, ends: Ends): void {
  withCommand(program.command('send').description('send one command and print the answer'))
    .argument('<file>', 'JSON file with the command; - is standard input')
    .action(ends(async (file: string, flags: CommandFlags) => (await import('./send.js')).send(file, flags)))
  for (const cmd of ['start', 'stop'] as const)
    withCommand(
      program.command(cmd).description(`send '${cmd}' to a service; its keys: nexstream ${cmd} SERVICE --help`)
    )
      .argument('[service]', 'which service of the daemon')
      .argument('[pairs...]', 'key=value, key=JSON, key=@file.json; …_time also takes now, +10s, -5min')
      .action(
        ends(async (service: string | undefined, pairs: string[], flags: CommandFlags) =>
          (await import('./send.js')).command(cmd, service, pairs, flags)
        )
      )
}
