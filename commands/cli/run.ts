// `nexstream run`: the daemon in the foreground.
import { setFlagsFromString } from 'node:v8'
import { CodedError } from '../../core/api/errors.js'
import { runDaemon } from '../../core/main.js'
import { flagValues } from './config.js'
import { exitCodes } from './exit.js'
import { say, settings } from './io.js'

/** A process that does not end by itself so long after everything was closed is ended. */
const LEAVE_MS = 3000

export interface RunFlags {
  readonly brokers?: string
  readonly set?: readonly string[]
}

/** Runs until a signal or the command `exit`; gives the daemon's exit code. */
export async function run(file: string | undefined, flags: RunFlags): Promise<number> {
  const config = file ?? (process.env['NEXSTREAM_CONFIG'] || undefined)
  if (config === undefined && flags.set === undefined && flags.brokers === undefined)
    throw new CodedError(
      'CLI_USAGE',
      "no config; 'nexstream init' writes one; give a file, $NEXSTREAM_CONFIG, or --brokers and --set section.key=value"
    )
  // The first values of thousands of PVs all live on, from which V8 concludes that all later ones will: it then makes each
  // update in the old generation, which grows by hundreds of MB until it is collected.
  setFlagsFromString('--no-allocation-site-pretenuring')
  const brokers: Record<string, string> =
    flags.brokers === undefined ? {} : { 'kafka.brokers': JSON.stringify(flags.brokers.split(',')) }
  const level: Record<string, string> = settings.verbose ? { 'log.level': 'debug' } : {}
  const values = { ...level, ...flagValues(flags.set), ...brokers }
  const code = await runDaemon({ file: config, env: process.env, flags: values })
  // What did not stop in time would hold the process
  if (code !== exitCodes.done) process.exit(code)
  // Nothing should hold it now; what does all the same is named, not waited for
  const leave = (): void => {
    say(`left open: ${process.getActiveResourcesInfo().join(', ')}`)
    process.exit(code)
  }
  setTimeout(leave, LEAVE_MS).unref()
  return code
}
