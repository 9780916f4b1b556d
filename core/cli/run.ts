// `nexstream run`: the daemon in the foreground.
import { CodedError } from '../errors.js'
import { runDaemon } from '../main.js'
import { flagValues } from './config.js'

export interface RunFlags {
  readonly brokers?: string
  readonly set?: readonly string[]
}

/** Runs until a signal or the command `exit`; gives the daemon's exit code. */
export function run(file: string | undefined, flags: RunFlags): Promise<number> {
  const config = file ?? (process.env['NEXSTREAM_CONFIG'] || undefined)
  if (config === undefined && flags.set === undefined && flags.brokers === undefined)
    throw new CodedError(
      'CLI_USAGE',
      'no config; give a file, $NEXSTREAM_CONFIG, or --brokers and --set section.key=value'
    )
  const brokers: Record<string, string> =
    flags.brokers === undefined ? {} : { 'kafka.brokers': JSON.stringify(flags.brokers.split(',')) }
  return runDaemon({ file: config, env: process.env, flags: { ...flagValues(flags.set), ...brokers } })
}
