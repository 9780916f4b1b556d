// The sub-commands that need Kafka, with their options; the code of each is loaded only when it runs.
import { type Command } from 'commander'
import type { CommandFlags } from './command-client.js'
import type { CountFlags } from './count.js'
import { type Ends, json, withConfig, withSet } from './program-options.js'
import type { ProvisionFlags } from './provision.js'
import type { PvsFlags } from './pvs.js'
import type { RunFlags } from './run.js'
import type { SourcesFlags } from './sources.js'
import type { StatusFlags } from './status.js'
import type { TailFlags } from './tail.js'
import type { TopicsFlags } from './topics.js'

const withKafka = (command: Command): Command =>
  withConfig(command.option('-b, --brokers <list>', 'host:port,…; default those of the config or $NEXSTREAM_BROKERS'))
export const withCommand = (command: Command): Command =>
  json(withKafka(command))
    .option('--topic <topic>', 'command topic; default that of the config')
    .option('--reply-topic <topic>', 'topic of the answers; default that of the config')

/** Run, provision, kafka; send, start, stop, jobs, status; tail, topics, sources, count, pvs. */
export function addOnline(program: Command, ends: Ends): void {
  addDaemon(program, ends)
  addCommands(program, ends)
  addTopics(program, ends)
}

function addDaemon(program: Command, ends: Ends): void {
  withSet(program.command('run').description('run the daemon until SIGINT, SIGTERM or the command `exit`'))
    .argument('[config]', 'config file (TOML, YAML, JSON); default $NEXSTREAM_CONFIG')
    .option('-b, --brokers <list>', 'brokers; overrides the config')
    .action(ends(async (file: string | undefined, flags: RunFlags) => (await import('./run.js')).run(file, flags)))
  withKafka(json(program.command('provision').description('make all topics of the config; never takes any away')))
    .argument('[instrument]', 'put in place of {instrument} in topic names; default daemon.instrument')
    .option('--dry-run', 'only show what would be done')
    .action(
      ends(async (name: string | undefined, flags: ProvisionFlags) =>
        (await import('./provision.js')).provision(name, flags)
      )
    )
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
  withCommand(program.command('jobs').description('list the running and the last jobs'))
    .argument('[job]', 'only this job')
    .action(ends(async (job: string | undefined, flags: CommandFlags) => (await import('./jobs.js')).jobs(job, flags)))
  json(withKafka(program.command('status').description('show the daemons that report, their services and jobs')))
    .option('--topic <topic>', 'status topic; default that of the config')
    .option('-w, --watch', 'go on and repaint')
    .action(ends(async (flags: StatusFlags) => (await import('./status.js')).status(flags)))
}

function addTopics(program: Command, ends: Ends): void {
  const reading = (name: string, text: string): Command =>
    json(withKafka(program.command(name).description(text))).argument(
      '[address]',
      'host:port/topic, or only the topic when the brokers are known'
    )
  const withSpan = (command: Command): Command =>
    command
      .option('-n, --last <n>', 'the last n; those that fit a filter are searched in the last 10000 of each partition')
      .option('--offset <n>', 'from this offset on')
      .option('--time <moment>', 'from this moment on: ISO 8601, ms, now, -5min')
      .option('--to <moment>', 'up to this moment')
      .option('-p, --partition <n>', 'only this partition')
  withSpan(reading('tail', 'print messages, decoded; the last 10 unless told otherwise'))
    .option('-f, --follow', 'go on with what arrives')
    .option('--filter <ids>', 'only these schema ids, e.g. f142,ev44')
    .option('--source <name>', 'only messages of this source')
    .option('--key <key>', 'only messages with this key')
    .action(ends(async (at: string | undefined, flags: TailFlags) => (await import('./tail.js')).tail(at, flags)))
  reading('topics', 'list topics with partitions, offsets and counts').action(
    ends(async (at: string | undefined, flags: TopicsFlags) => (await import('./topics.js')).topics(at, flags))
  )
  withSpan(reading('sources', 'list who writes to a topic: schema, count, rate, last content')).action(
    ends(async (at: string | undefined, flags: SourcesFlags) => (await import('./sources.js')).sources(at, flags))
  )
  reading('count', 'count the messages of a topic')
    .option('--time <moment>', 'from this moment on')
    .option('--to <moment>', 'up to this moment')
    .option('-f, --follow', 'print the rate every second')
    .action(ends(async (at: string | undefined, flags: CountFlags) => (await import('./count.js')).count(at, flags)))
  reading('pvs', 'table of the newest value, alarm and connection of every source of a topic')
    .option('-w, --watch', 'go on and repaint')
    .action(ends(async (at: string | undefined, flags: PvsFlags) => (await import('./pvs.js')).pvs(at, flags)))
}
