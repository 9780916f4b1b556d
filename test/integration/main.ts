// `npm run integration`: the integration test of the whole system by one command, with a report that can be kept.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { startKafka } from '../support/kafka.js'
import { runChain } from './chain.js'
import { htmlPage, junitXml } from './report.js'

const help = `npm run integration -- [--seconds 10] [--out integration-report]

Starts Kafka (or takes NEXSTREAM_BROKERS), an EPICS IOC and the daemon. Raw readouts of a detector and of a monitor go by UDP through
event formation and Kafka into a NeXus file and a live image, values of PVs through the forwarder into the same file. Everything
is counted where it begins and must be in the file. Writes junit.xml, index.html, the file and the daemon's log to --out; the exit
code is 0 when all is well.`

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    out: { type: 'string', default: 'integration-report' },
    help: { type: 'boolean', default: false }
  }
})

const print = (line: string): void => void process.stdout.write(`${line}\n`)

async function main(): Promise<number> {
  const seconds = Number(values.seconds)
  if (!(seconds > 0 && seconds <= 3600)) throw new Error('--seconds must be above 0 and 3600 at most')
  const folder = resolve(values.out)
  mkdirSync(folder, { recursive: true })
  const kafka = await startKafka()
  try {
    const report = await runChain({
      brokers: kafka.brokers,
      folder: join(folder, new Date().toISOString().replaceAll(/[:.]/g, '-')),
      seconds,
      told: ({ name, found, failure }) => print(`${failure === undefined ? '✓' : '✗'} ${name}: ${failure ?? found}`)
    })
    writeFileSync(join(folder, 'junit.xml'), junitXml(report))
    writeFileSync(join(folder, 'index.html'), htmlPage(report))
    const failed = report.outcomes.filter(({ failure }) => failure !== undefined).length
    print(`${failed === 0 ? 'all is well' : `${failed} failed`}; see ${join(folder, 'index.html')}`)
    return failed === 0 ? 0 : 1
  } finally {
    await kafka.stop()
  }
}

if (values.help) print(help)
else process.exitCode = await main()
