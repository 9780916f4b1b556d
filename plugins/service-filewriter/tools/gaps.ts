// `nexstream gaps`: what a file lacks of what Kafka holds of its streams.
import { CodedError, exitCodes, plainNumbers, type ToolContext, type ToolFlags } from '../../../core/api/plugin.js'
import { readJson } from '../../../schemas/index.js'
import { meter, moment, table, untilStopped } from '../../tools-daemon/tool-kit.js'
import { timesIn } from '../file/rows.js'
import { openToRead } from '../file/summary.js'
import { type WasmFile } from '../file/wasm.js'
import { isObject } from '../structure/findings.js'
import { type Compared, compare, MessageTimes } from '../structure/gaps.js'
import { type HeldStreams, heldInKafka, type HeldStream, timedBy } from '../structure/held.js'
import { writerOf } from '../structure/parts.js'
import { planGroup, type PlanStream } from '../structure/plan.js'
import { isoNs, type JobReport, type StreamReport } from '../structure/report.js'
import { checkStructure } from '../structure/structure.js'
import { OPEN_END_NS, TimeWindow } from '../structure/window.js'
import { reportOf } from '../thread/finished.js'
import { timeNs } from '../times.js'

/** What the streams of a file are, and of which time. */
interface Wanted {
  readonly streams: readonly PlanStream[]
  readonly startNs: bigint | undefined
  readonly stopNs: bigint | undefined
}

interface Row {
  readonly path: string
  readonly module: string
  readonly topic: string
  readonly source: string
  /** Undefined: the times of this module are not compared. */
  readonly compared: Compared | undefined
  readonly inKafka: number
}

/** Gaps of a stream that are told; --json has all. */
const MOST_TOLD = 5

/** Exit code 5 when something is missing. */
export default async function gaps(
  [name = '', command]: readonly (string | undefined)[],
  flags: ToolFlags,
  context: ToolContext
): Promise<number> {
  const { file } = await openToRead(name)
  const stop = untilStopped()
  try {
    const wanted =
      command === undefined ? ofReport(file, context) : ofCommand(command, await context.readText(command), context)
    const at = (flag: ToolFlags[string]): bigint | undefined =>
      typeof flag === 'string' ? BigInt(moment(flag, context.say)) * 1_000_000n : undefined
    const startNs = at(flags['from']) ?? wanted.startNs
    const stopNs = at(flags['to']) ?? wanted.stopNs ?? BigInt(Date.now()) * 1_000_000n
    if (startNs === undefined) throw new CodedError('CLI_USAGE', 'the command has no start_time; give --from')
    const { kafka } = context.connect()
    const show = meter(context, 'messages')
    try {
      const held = await heldInKafka(wanted.streams, {
        kafka,
        parts: context.parts,
        window: new TimeWindow(startNs, stopNs),
        stopMs: Number(stopNs / 1_000_000n),
        signal: stop.signal,
        timeoutMs: context.timeoutMs,
        progress: (done, total) => show(() => ({ done, total }))
      })
      context.progress('')
      if (stop.signal.aborted) throw new CodedError('COMMAND_FAILED', 'it was stopped before all was read')
      const rows = held.streams.map((stream) => rowOf(file, stream, startNs, stopNs))
      return await tell({ name, rows, held, startNs, stopNs }, flags, context)
    } finally {
      context.progress('')
      await kafka.close()
    }
  } finally {
    stop.done()
    file.close()
  }
}

/** Throws FILE_READ for a file without a report. */
function ofReport(file: WasmFile, { parts }: ToolContext): Wanted {
  const report: JobReport | null = reportOf(file)
  if (report === null)
    throw new CodedError('FILE_READ', `${file.path} does not say what it is made of: it has no nexstream_report; give its start command as well`) // prettier-ignore
  const isTimed = (module: string): boolean => {
    const part = writerOf(parts, module)
    return part !== undefined && timedBy({ part }) !== undefined
  }
  // What comes along with the values of a source, as its alarms, is no stream of its own
  const isCompanion = ({ path, module, source }: StreamReport): boolean =>
    !isTimed(module) && report.streams.some((one) => one.path === path && one.source === source && isTimed(one.module))
  const streams = report.streams.flatMap((stream): PlanStream[] => {
    const { path, module, topic, source } = stream
    const part = writerOf(parts, module)
    if (part === undefined || topic === '' || isCompanion(stream)) return []
    const partitions = report.topics.filter((one) => one.topic === topic).flatMap((one) => one.partitions ?? [])
    const group = { ...planGroup('', undefined, path), path }
    const more = { config: {}, onMissingTopic: undefined, onEmptyTopic: undefined, firstAfterStop: false, compression: undefined, companion: false, at: '', configAt: '' } // prettier-ignore
    return [{ module, part, group, topic, source, partitions: partitions.length > 0 ? partitions : undefined, ...more }]
  })
  const ns = (iso: string | null): bigint | undefined => (iso === null ? undefined : nsOf(iso))
  return { streams, startNs: ns(report.start_time), stopNs: ns(report.stop_time) }
}

/** Of ISO 8601 with nine digits, or a number beyond what a date holds. */
function nsOf(text: string): bigint {
  const [, date = '', digits = ''] = /^(.*T.*)\.(\d{9})Z$/.exec(text) ?? []
  return date === '' ? BigInt(text) : BigInt(Date.parse(`${date}Z`)) * 1_000_000n + BigInt(digits)
}

/** Throws COMMAND_JSON. */
function ofCommand(name: string, text: string, { parts }: ToolContext): Wanted {
  let json: unknown
  try {
    json = readJson(text)
  } catch (cause) {
    throw new CodedError(
      'COMMAND_JSON',
      `${name} is no valid JSON: ${(cause as Error).message}; a start command is wanted, or its structure`,
      { cause }
    )
  }
  const command: Readonly<Record<string, unknown>> =
    isObject(json) && Object.hasOwn(json, 'nexus_structure') ? json : { nexus_structure: json }
  const { plan } = checkStructure(command['nexus_structure'], parts)
  const time = (key: 'start_time' | 'stop_time'): bigint | undefined => timeNs(plainNumbers(command[key]), `/${key}`)
  const streams = plan.streams.filter(({ topic, companion }) => topic !== '' && !companion)
  if (streams.length === 0) throw new CodedError('COMMAND_JSON', 'the command has no streams in its nexus_structure')
  return { streams, startNs: time('start_time'), stopNs: time('stop_time') }
}

function rowOf(file: WasmFile, { state, times }: HeldStream, startNs: bigint, stopNs: bigint): Row {
  const { module, group, topic, source } = state.plan
  const timed = timedBy(state.plan)
  const row = { path: group.path, module, topic, source }
  if (timed === undefined) return { ...row, compared: undefined, inKafka: state.written }
  const there = new MessageTimes()
  timesIn(file, group.path + timed.below, timed.dataset, (timeNs) => there.add(timeNs))
  const compared = compare(times, there, startNs, stopNs)
  return { ...row, compared, inKafka: compared.inKafka }
}

interface Found {
  readonly name: string
  readonly rows: readonly Row[]
  readonly held: HeldStreams
  readonly startNs: bigint
  readonly stopNs: bigint
}

async function tell(found: Found, flags: ToolFlags, context: ToolContext): Promise<number> {
  const { rows, held } = found
  const missing = rows.reduce((sum, { compared }) => sum + (compared?.missing ?? 0), 0)
  if (flags['json'] === true) for (const row of rows) await context.printJson(jsonOf(row, held))
  else await tellPeople(found, missing, context)
  return missing > 0 ? exitCodes.findings : exitCodes.done
}

const cutOf = (topic: string, { cut }: HeldStreams) => cut.find((one) => one.topic === topic)

const jsonOf = ({ path, module, topic, source, compared, inKafka }: Row, held: HeldStreams): unknown => {
  const cut = cutOf(topic, held)
  return {
    ...{ path, module, topic, source, in_kafka: inKafka },
    in_file: compared?.inFile ?? null,
    missing: compared?.missing ?? null,
    missing_events: compared?.missingEvents ?? null,
    only_in_file: compared?.onlyInFile ?? null,
    topic_missing: held.missingTopics.includes(topic),
    kafka_since: cut === undefined ? null : new Date(cut.firstMs ?? Date.now()).toISOString(),
    gaps: compared?.gaps.map(({ fromNs, toNs, count }) => ({ from: isoNs(fromNs), to: isoNs(toNs), count })) ?? []
  }
}

async function tellPeople(
  { name, rows, held, startNs, stopNs }: Found,
  missing: number,
  context: ToolContext
): Promise<void> {
  // prettier-ignore
  const { colour, print, say, visible } = context
  const cells = rows.map(({ path, inKafka, compared }) => [
    visible(path),
    compared === undefined ? '?' : String(compared.inFile),
    String(inKafka),
    compared === undefined ? '?' : compared.missing > 0 ? colour.red(String(compared.missing)) : '0',
    compared === undefined || compared.missingEvents === 0 ? '' : `${compared.missingEvents} events`
  ])
  await print(table(context, [['group', 'in file', 'in Kafka', 'missing', ''], ...cells]))
  for (const { path, compared } of rows) {
    const gaps = compared?.gaps ?? []
    if (gaps.length > 0) await print(visible(path))
    for (const { fromNs, toNs, count } of gaps.slice(0, MOST_TOLD))
      await print(`  ${count} missing, ${isoNs(fromNs)}${toNs === fromNs ? '' : ` to ${isoNs(toNs)}`}`)
    if (gaps.length > MOST_TOLD) await print(`  and ${gaps.length - MOST_TOLD} more gaps; --json has all`)
  }
  for (const { topic, firstMs } of held.cut)
    say(`${topic}: Kafka has nothing before ${firstMs === undefined ? 'now' : new Date(firstMs).toISOString()} any more: of the time before it nothing can be said, and nothing can be had`) // prettier-ignore
  for (const topic of held.missingTopics) say(`${topic}: there is no such topic any more`)
  const window = `${isoNs(startNs)} to ${stopNs >= OPEN_END_NS ? 'now' : isoNs(stopNs)}`
  say(`${name}: ${verdict(rows, missing)}, ${window}${missing === 0 ? '' : "; while Kafka holds them, 'nexstream write' with the same times makes it whole"}`) // prettier-ignore
}

/** What is not compared is not said to be there. */
function verdict(rows: readonly Row[], missing: number): string {
  if (missing > 0) return `${missing} missing`
  const known = rows.filter(({ compared }) => compared !== undefined).length
  if (known === rows.length) return 'has all that Kafka holds of it'
  if (known === 0) return 'not known whether it has all: messages of its streams are only counted'
  return `has all that Kafka holds of ${known} of its ${rows.length} streams; messages of those with ? are only counted`
}
