// Before the tests: gets what they need (once, cached), so that no test waits for a download and what is missing is said at once.
import { iocPython } from '../../plugins/tools-dev/ioc/soft-ioc.js'
import { keepKafkaClasses } from './kafka-classes.js'
import { findChromium } from './chromium.js'
import { startKafka } from './kafka.js'
import { hdf5Libraries } from './hdf5-libraries.js'
import { pvaServer } from './java.js'
import { nodeOf } from './node-versions.js'
import { prometheus } from './prometheus.js'
import { carbonPython, mcapPython, python } from './python.js'

/** @param isNeeded - false: without it a test is left out, but not in CI */
async function step(what: string, work: () => Promise<string>, isNeeded = true): Promise<void> {
  const begin = performance.now()
  process.stdout.write(`preparing ${what} … `)
  try {
    const found = await work()
    process.stdout.write(`${found} (${Math.round((performance.now() - begin) / 1000)} s)\n`)
  } catch (error) {
    process.stdout.write(`✗\n${(error as Error).message}\n`)
    if (isNeeded || process.env['CI'] !== undefined) process.exit(1)
  }
}

await step('Python with EPICS servers and HDF5 readers (first time: a minute)', () => python())
await step('Python for the IOC of nexstream dev (first time: half a minute)', () => iocPython())
await step('Carbon, a Graphite server (first time: half a minute)', () => carbonPython())
await step("MCAP's reader (first time: some seconds)", () => mcapPython())
await step('Prometheus (first time: a download)', () => prometheus(), false)
await step('EPICS server in Java (first time: a download)', async () => (await pvaServer()).split(':').at(-1) ?? '')
await step('HDF5 libraries (first time: a download)', async () => [...(await hdf5Libraries()).keys()].join(', '))
await step('Chromium (in CI, the first time: an installation)', () => Promise.resolve(findChromium()))
await step('Node 18, which is too old (first time: a download)', () => nodeOf('18'))
await step('Apache Kafka (first time: a download)', async () => {
  const kafka = await startKafka()
  await kafka.stop()
  if (kafka.way === 'jars') await keepKafkaClasses()
  return `by ${kafka.way}`
})
