// `npm run demo`: EPICS values and neutron events through a real Kafka into a NeXus file, on the facility of `nexstream dev`.
import { rm } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { connect } from '../../commands/cli/connect.js'
import { terminal } from '../../commands/cli/tool-context.js'
import { CodedError, errorText } from '../../core/api/errors.js'
import { channels, type DevFacility, startFacility } from '../../plugins/tools-dev/facility.js'
import { OwnerGuard } from '../../plugins/tools-dev/guard.js'
import { kinds } from '../../plugins/tools-dev/kinds.js'
import { stepsOn } from '../../plugins/tools-dev/steps.js'
import { bytes } from '../../plugins/tools-daemon/tool-kit.js'
import { type Sent, showFile, verify } from './verify.js'

const usage = `Usage: npm run demo -- [--seconds N] [--verify] [--out FOLDER]
  --seconds N    how long to measure (default 10)
  --verify       read the file back with h5py and compare every count and value
  --out FOLDER   where the file goes (default ./out)
'nexstream dev' runs the same until Ctrl-C.`

/** Values that the demo puts into each PV; the temperature passes its alarm limits at 40 and 80. */
const PUTS = 100
const EVENTS_PER_PULSE = 2000
const PULSE_RATE = 14

const steps = stepsOn(terminal)
const { heading, running, step, tell } = steps
let facility: DevFacility | undefined

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '10' },
      verify: { type: 'boolean', default: false },
      out: { type: 'string', default: 'out' },
      help: { type: 'boolean', short: 'h', default: false }
    }
  })
  if (values.help) return tell(usage)
  const seconds = Number(values.seconds)
  if (!(seconds >= 1 && seconds <= 3600)) throw new CodedError('CLI_USAGE', '--seconds must be between 1 and 3600')
  const out = resolve(values.out)
  const folder = join(out, 'demo')
  await rm(folder, { recursive: true, force: true })
  heading('Preparing')
  facility = await startFacility({
    instrument: 'DEMO',
    kind: kinds['amor']!,
    folder,
    files: out,
    needsIoc: true,
    // It goes when this process has ended
    guard: await OwnerGuard.open('nexstream-demo-'),
    connect: (address) => connect(address, {}),
    steps
  })
  await Promise.race([measure(facility, { seconds, out, verified: values.verify }), facility.lost()])
}

interface Plan {
  readonly seconds: number
  readonly out: string
  readonly verified: boolean
}

async function measure(facility: DevFacility, plan: Plan): Promise<void> {
  heading('Measuring')
  const pulses = Math.max(1, Math.round(plan.seconds * PULSE_RATE))
  const name = await facility.begin({ perPulse: EVENTS_PER_PULSE, pulses })
  const watch = watchJobs(facility, plan.seconds)
  await facility.ioc?.ramp(channels, PUTS, PUTS / plan.seconds)
  const run = await facility.jobEnd('demo-events')
  watch.close()
  await facility.ask({ cmd: 'stop', service: 'filewriter', msg_id: 'demo-stop', job_id: 'demo-file' })
  const file = await step('the file is being finished', () => facility.jobEnd('demo-file'))
  await facility.ask({ cmd: 'stop', service: 'histogram', msg_id: 'demo-see-stop', job_id: 'demo-histograms' })
  await facility.ask({ cmd: 'stop', service: 'forwarder', msg_id: 'demo-forward-off', all: true })
  const code = await step('the daemon stops', () => facility.daemon.stop())
  if (code !== 0) throw new Error(`the daemon ended with ${String(code)}; see ${facility.log}`)
  if (run['state'] !== 'done')
    throw new Error(`the run of events is ${String(run['state'])}: ${String(run['message'])}`)
  if (file['state'] !== 'done') throw new Error(`the file is ${String(file['state'])}: ${String(file['message'])}`)
  const path = join(plan.out, name)
  await showFile(path, steps)
  const sent = { puts: PUTS, channels: run['channels'] as Sent['channels'] }
  if (plan.verified) tell(await step('reading back with h5py', () => verify(path, sent)))
  lookAt(relative(process.cwd(), path))
}

/** A running line of the file's progress; logs get none. */
function watchJobs(facility: DevFacility, seconds: number): { close(): void } {
  const begin = Date.now()
  let busy = false
  const timer = setInterval(() => {
    if (busy || !process.stderr.isTTY) return
    busy = true
    const show = (job: Readonly<Record<string, unknown>>): void => {
      const messages = Number(job['messages'] ?? job['written'] ?? 0)
      const size = Number(job['file_bytes'] ?? job['bytes'] ?? 0)
      running(`${Math.round((Date.now() - begin) / 1000)} of ${seconds} s: ${messages} messages, ${bytes(size)}`)
    }
    // A progress line that fails to come is no fault of the measurement
    void facility.job('demo-file').then(show, () => undefined).finally(() => (busy = false)) // prettier-ignore
  }, 1000)
  return { close: () => clearInterval(timer) }
}

function lookAt(path: string): void {
  heading('Look at it')
  tell(`  npx nexstream show ${path}`)
  tell(`  python3 -c "import h5py; print(list(h5py.File('${path}')['entry']))"`)
  tell(`  https://h5web.panosc.eu/h5wasm  (drop the file there), or load it in scippnexus, Mantid or NeXpy`)
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143]
] as const)
  // prettier-ignore
  process.once(signal, () => {
    tell('stopping …')
    void Promise.resolve(facility?.close()).then(() => process.exit(code))
  })

try {
  await main()
  await facility?.close()
} catch (error) {
  tell(`✗ ${error instanceof CodedError ? `${error.code}: ` : ''}${errorText(error)}`)
  await facility?.close()
  process.exitCode = 1
}
