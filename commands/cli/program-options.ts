// What several sub-commands have in common: options, and how they end.
import { type Command } from 'commander'

/** What a sub-command resolves to: its exit code, or nothing for 0. */
export type Outcome = Promise<number | void>
/** Makes an action that hands on its exit code. */
export type Ends = <A extends unknown[]>(run: (...args: A) => Outcome) => (...args: A) => Promise<void>

export const collect = (value: string, previous: string[] = []): string[] => [...previous, value]
export const json = (command: Command): Command => command.option('--json', 'one JSON object a line')
export const withSet = (command: Command): Command =>
  command.option('--set <section.key=value>', 'override a config value; may be repeated', collect)
export const withConfig = (command: Command): Command =>
  withSet(command.option('-c, --config <file>', 'config file (TOML, YAML, JSON); default $NEXSTREAM_CONFIG'))
export const withKafka = (command: Command): Command =>
  withConfig(command.option('-b, --brokers <list>', 'host:port,…; default those of the config or $NEXSTREAM_BROKERS'))
