// `nexstream dev`: a whole facility in one terminal, until Ctrl-C.
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CodedError,
  errorText,
  exitCodes,
  parseDuration,
  type ToolContext,
  type ToolFlags,
  type ToolRun
} from '../../core/api/plugin.js'
import { bytes, countOf, untilStopped } from '../tools-daemon/tool-kit.js'
import { channels, type DevFacility, startFacility } from './facility.js'
import { type Steps, stepsOn } from './steps.js'

const PULSE_RATE = 14
/** Values of a ramp, and how many of them a second. */
const [VALUES, VALUE_RATE] = [100, 5]

const text = (value: ToolFlags[string]): string | undefined => (typeof value === 'string' ? value : undefined)

const dev: ToolRun = async (_args, flags, context) => {
  const steps = stepsOn(context)
  const forMs = text(flags['for']) === undefined ? undefined : parseDuration(text(flags['for']) ?? '')
  const perPulse = countOf(text(flags['events']) ?? '', '--events')
  const kept = text(flags['data'])
  const instrument = text(flags['instrument']) ?? ''
  if (!/^[A-Za-z0-9._-]{1,200}$/.test(instrument)) throw new CodedError('CLI_USAGE', `--instrument '${instrument}': letters, digits, '.', '_' and '-' only: its topics begin with it`) // prettier-ignore
  const given = brokersOf(flags)
  const folder = kept === undefined ? await mkdtemp(join(tmpdir(), 'nexstream-dev-')) : resolve(kept)
  const stop = untilStopped()
  const files = join(folder, 'files')
  let facility: DevFacility | undefined
  try {
    const starting = startFacility({
      instrument,
      folder,
      files,
      connect: context.connect,
      steps,
      heard: (line) => (/ (WARN|ERROR) /.test(line) ? steps.tell(`daemon: ${context.visible(line)}`) : undefined),
      ...(kept !== undefined && { brokerData: join(folder, 'kafka') }),
      ...given
    })
    facility = await Promise.race([starting, stop.ended.then(() => undefined)])
    if (facility !== undefined) {
      const name = await facility.begin({ perPulse, pulseRate: PULSE_RATE })
      tellPlaces(facility, instrument, join(files, name), context)
      const time = forMs === undefined ? [] : [sleep(forMs, undefined, { ref: false })]
      await Promise.race([stop.ended, facility.daemon.crash(), moving(facility), ...time])
    }
  } finally {
    stop.done()
    const { step } = steps
    const running = facility
    if (running !== undefined) {
      // Kafka or the daemon may be gone already
      await step('the file is finished', () =>
        running.endFile().catch((error: unknown) => steps.tell(errorText(error)))
      )
      await step('everything else ends', () => running.close())
    }
    await tellFiles(files, steps)
    await tellEnd(folder, kept, steps)
  }
  // What was being started ends with this process: broker, IOC and daemon watch their owner
  if (facility === undefined) process.exit(exitCodes.done)
  return exitCodes.done
}

export default dev

function brokersOf(flags: ToolFlags): { brokers?: readonly string[] } {
  const given = text(flags['brokers']) ?? (process.env['NEXSTREAM_BROKERS'] || undefined)
  if (given === undefined) return {}
  const brokers = given.split(',').map((broker) => broker.trim())
  for (const broker of brokers)
    if (!/^[^\s/]+:\d+$/.test(broker)) throw new CodedError('CLI_USAGE', `'${broker}' is no broker; write host:port`)
  return { brokers }
}

/** The values of the IOC go up again and again; simulated ones move by themselves. */
async function moving({ ioc }: DevFacility): Promise<never> {
  if (ioc === undefined) return new Promise(() => undefined)
  for (;;) await ioc.ramp(channels, VALUES, VALUE_RATE)
}

function tellPlaces(facility: DevFacility, instrument: string, file: string, { bold }: ToolContext): void {
  const { page, broker, config, log, options } = facility
  const { tell, heading } = options.steps
  heading('It runs')
  for (const [what, where] of [
    ['page', page],
    ['brokers', broker.brokers.join(',')],
    ['file', `${file}.part, until the end`],
    ['config', config],
    ['log', log]
  ] as const)
    tell(`  ${what.padEnd(8)} ${where}`)
  heading('In another terminal')
  tell(`  export NEXSTREAM_CONFIG=${config} NEXSTREAM_BROKERS=${broker.brokers.join(',')}`)
  for (const words of ['status --watch', `tail ${instrument}_sample_env`, `show ${file}.part`])
    tell(`  nexstream ${words}`)
  tell(`\n${bold('Ctrl-C ends it')}\n`)
}

async function tellFiles(files: string, { tell }: Steps): Promise<void> {
  const names = (await readdir(files).catch(() => [])).toSorted()
  for (const name of names) tell(`  ${join(files, name)}  ${bytes((await stat(join(files, name))).size)}`)
}

async function tellEnd(folder: string, kept: string | undefined, { tell }: Steps): Promise<void> {
  if (kept !== undefined) return tell(`everything is kept in ${folder}; 'nexstream dev --data ${kept}' goes on with it`)
  await rm(folder, { recursive: true, force: true })
  tell('nothing of it is kept; give --data FOLDER for that')
}
