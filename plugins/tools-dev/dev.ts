// `nexstream dev`: a whole facility in one terminal, until Ctrl-C.
import { readdir, stat } from 'node:fs/promises'
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
import { OwnerGuard } from './guard.js'
import { type FacilityKind, kinds } from './kinds.js'
import { type Steps, stepsOn } from './steps.js'

/** Values of a ramp, and how many of them a second. */
const [VALUES, VALUE_RATE] = [100, 5]

const text = (value: ToolFlags[string]): string | undefined => (typeof value === 'string' ? value : undefined)

const dev: ToolRun = async (_args, flags, context) => {
  const steps = stepsOn(context)
  const forMs = text(flags['for']) === undefined ? undefined : parseDuration(text(flags['for']) ?? '')
  const events = text(flags['events'])
  const perPulse = events === undefined ? {} : { perPulse: countOf(events, '--events') }
  const pagePort = text(flags['pagePort'])
  if (pagePort !== undefined && !(/^\d{1,5}$/.test(pagePort) && Number(pagePort) < 65_536)) throw new CodedError('CLI_USAGE', `--page-port '${pagePort}': a number up to 65535`) // prettier-ignore
  const kind = kindOf(text(flags['facility']) ?? '')
  const kept = text(flags['data'])
  const instrument = text(flags['instrument']) ?? ''
  if (!/^[A-Za-z0-9._-]{1,200}$/.test(instrument)) throw new CodedError('CLI_USAGE', `--instrument '${instrument}': letters, digits, '.', '_' and '-' only: its topics begin with it`) // prettier-ignore
  const given = brokersOf(flags)
  const guard = await OwnerGuard.open('nexstream-dev-')
  const folder = kept === undefined ? guard.folder : resolve(kept)
  const stop = untilStopped()
  const files = join(folder, 'files')
  let facility: DevFacility | undefined
  let lost: Promise<never> | undefined
  try {
    const starting = startFacility({
      instrument,
      kind,
      folder,
      files,
      guard,
      connect: context.connect,
      patienceMs: context.timeoutMs,
      steps,
      heard: (line) => (/ (WARN|ERROR) /.test(line) ? steps.tell(`daemon: ${context.visible(line)}`) : undefined),
      ...(kept !== undefined && { brokerData: join(folder, 'kafka') }),
      ...(pagePort !== undefined && { pagePort: Number(pagePort) }),
      ...given
    })
    facility = await Promise.race([starting, stop.ended.then(() => undefined)])
    if (facility !== undefined) {
      lost = facility.lost()
      lost.catch(() => undefined) // Whoever waits meanwhile sees it
      const name = await Promise.race([facility.begin(perPulse), lost])
      tellPlaces(facility, instrument, join(files, name), context)
      const time = forMs === undefined ? [] : [sleep(forMs, undefined, { ref: false })]
      await Promise.race([stop.ended, lost, moving(facility), ...time])
    }
  } finally {
    stop.done()
    if (facility !== undefined) await end(facility, lost, steps)
    await tellFiles(files, steps)
    tellEnd(folder, kept, steps)
    // What is being started still is ended by the guards, when this process has
    if (facility !== undefined || !stop.signal.aborted) await guard.close()
  }
  if (facility === undefined) process.exit(exitCodes.done)
  return exitCodes.done
}

export default dev

/** Kafka or the daemon may be gone already, or go meanwhile. */
async function end(facility: DevFacility, lost: Promise<never> | undefined, { step, tell }: Steps): Promise<void> {
  try {
    await step('the file is finished', () => Promise.race([...(lost === undefined ? [] : [lost]), facility.endFile()]))
  } catch (error) {
    const why = errorText(error).split('\n')[0] ?? ''
    tell(`✗ the file is not finished: ${why}`)
    if (/^Kafka ended/.test(why)) tell('  the daemon finishes it with what it has, which takes a quarter of a minute')
  }
  await step('everything else ends', () => facility.close())
}

function kindOf(name: string): FacilityKind {
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined
  if (kind === undefined) throw new CodedError('CLI_USAGE', `--facility '${name}': one of ${Object.keys(kinds).join(', ')}`) // prettier-ignore
  return kind
}

function brokersOf(flags: ToolFlags): { brokers?: readonly string[] } {
  const given = text(flags['brokers']) ?? (process.env['NEXSTREAM_BROKERS'] || undefined)
  if (given === undefined) return {}
  const brokers = given.split(',').map((broker) => broker.trim())
  for (const broker of brokers)
    if (!/^[^\s/]+:\d+$/.test(broker)) throw new CodedError('CLI_USAGE', `'${broker}' is no broker; write host:port`)
  return { brokers }
}

/** The values of the IOC go up again and again; simulated ones move by themselves. Rejects with COMMAND_FAILED when it ends. */
async function moving({ ioc }: DevFacility): Promise<never> {
  if (ioc === undefined) return new Promise(() => undefined)
  try {
    for (;;) await ioc.ramp(channels, VALUES, VALUE_RATE)
  } catch (cause) {
    throw new CodedError('COMMAND_FAILED', errorText(cause), { cause })
  }
}

/** A word as a shell takes it. */
const quoted = (word: string): string => (/^[\w./:@%+,=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)

function tellPlaces(facility: DevFacility, instrument: string, file: string, { bold }: ToolContext): void {
  const { page, token, broker, config, log, options } = facility
  const { tell, heading } = options.steps
  heading('It runs')
  for (const [what, where] of [
    ['page', page],
    ...(token === undefined ? [] : [['token', `${token}  for what the page sends, while this runs`] as const]),
    ['brokers', broker.brokers.join(',')],
    ['file', `${file}.part, until the end`],
    ['config', config],
    ['log', log]
  ] as const)
    tell(`  ${what.padEnd(8)} ${where}`)
  heading('In another terminal')
  tell(`  export NEXSTREAM_CONFIG=${quoted(config)} NEXSTREAM_BROKERS=${broker.brokers.join(',')}`)
  for (const words of [
    'status --watch',
    `tail ${instrument}_sample_env`,
    `logs -f ${quoted(log)}`,
    `show ${quoted(`${file}.part`)}`
  ])
    tell(`  nexstream ${words}`)
  tell(`\n${bold('Ctrl-C ends it')}\n`)
}

async function tellFiles(files: string, { tell }: Steps): Promise<void> {
  const names = (await readdir(files).catch(() => [])).toSorted()
  for (const name of names) tell(`  ${join(files, name)}  ${bytes((await stat(join(files, name))).size)}`)
}

function tellEnd(folder: string, kept: string | undefined, { tell }: Steps): void {
  if (kept === undefined) return tell('nothing of it is kept; give --data FOLDER for that')
  tell(`everything is kept in ${folder}; 'nexstream dev --data ${quoted(kept)}' goes on with it`)
}
