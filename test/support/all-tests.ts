// Frame of `npm test`, which runs files beside each other: one Kafka for all of them, and no end without a word.
import { kafka, stopSharedKafka } from './kafka.js'
import { begun, close, open } from './running-files.js'

/** In the process that starts the others, before them. */
export async function mochaGlobalSetup(): Promise<void> {
  open()
  process.env['NEXSTREAM_BROKERS'] = (await kafka()).brokers.join(',')
  // A process that dies between two files leaves mocha with nothing to wait for, and it ends as if all were well
  process.exitCode = 1
  process.once('exit', end)
  process.once('SIGTERM', () => process.exit(143)) // The time limit
}

export async function mochaGlobalTeardown(): Promise<void> {
  await stopSharedKafka()
}

function end(): void {
  for (const file of begun()) process.stderr.write(`not ended: ${file}\n`)
  close()
}
