// `nexstream play`: a recording, a NeXus file or a span of a topic into topics, at the pace of its times or faster.
import {
  CodedError,
  exitCodes,
  type Kafka,
  parseDuration,
  type ToolContext,
  type ToolFlags,
  type ToolRun
} from '../../core/api/plugin.js'
import { type Sampling } from '../service-filewriter/nexus-kit.js'
import { bytes, countOf } from '../tools-daemon/tool-kit.js'
import { type LaneReport } from './lane.js'
import { isNexus, nexusPlayed, type NexusPlayed } from './nexus-played.js'
import { type Played, recordingPlayed, type Selection, topicPlayed } from './played.js'
import { Player } from './player.js'
import { notesOf, reportOf, spanOf, topicsOf } from './record.js'
import { isRecording } from './recording-kit.js'
import { meter, untilStopped } from '../tools-daemon/tool-kit.js'
import { capturePackets, copiedPackets, isCapture, playByUdp } from './udp/play-udp.js'

const usage = (message: string): CodedError => new CodedError('CLI_USAGE', message)
const text = (value: ToolFlags[string]): string | undefined => (typeof value === 'string' ? value : undefined)
const listOf = (value: ToolFlags[string]): string[] =>
  (text(value) ?? '').split(',').map((word) => word.trim()).filter((word) => word !== '') // prettier-ignore

/** Exit code 1 when something could not be delivered, 5 when something was lost before it was read. */
const play: ToolRun = async ([source = ''], flags, context) =>
  isCapture(source) || flags['udp'] !== undefined
    ? playPackets(source, flags, context)
    : playMessages(source, flags, context)

/** Raw packets by UDP. */
async function playPackets(source: string, flags: ToolFlags, context: ToolContext): Promise<number> {
  const to = text(flags['udp'])
  if (to === undefined) throw usage(`${source} holds packets; say where they go: --udp host:port`)
  if (isNexus(source)) throw usage('a NeXus file holds no packets')
  const selection = selectionOf(flags, context.say)
  const stop = untilStopped()
  const origin = isCapture(source) || isRecording(source) ? undefined : context.connect(source)
  try {
    const look = { signal: stop.signal, heard: context.say }
    const packets = isCapture(source)
      ? await capturePackets(source, selection, text(flags['port']))
      : copiedPackets(
          origin === undefined
            ? await recordingPlayed(source, selection, look)
            : await topicOf(origin.kafka, origin.topic, selection, context)
        )
    const options = {
      to,
      speed: speedOf(text(flags['speed']) ?? '1'),
      loops: flags['loop'] === true,
      signal: stop.signal
    }
    return await playByUdp(packets, options, flags, context)
  } finally {
    stop.done()
    await origin?.kafka.close()
  }
}

async function playMessages(source: string, flags: ToolFlags, context: ToolContext): Promise<number> {
  const speed = speedOf(text(flags['speed']) ?? '1')
  const isShifted = shiftOf(text(flags['shift']))
  const map = mapOf(flags)
  const prefix = text(flags['toPrefix']) ?? ''
  /** Topic of the source → topic that it is played into. */
  const target = (topic: string): string => map.get(topic) ?? prefix + topic
  const into = text(flags['into'])
  const isFile = isRecording(source) || isNexus(source)
  const command = text(flags['writeCommand'])
  if (command !== undefined && !isNexus(source)) throw usage('--write-command is for NeXus files')
  const kafka = context.connect(into ?? (isFile ? undefined : source)).kafka
  const origin = isFile ? undefined : context.connect(source)
  let nexus: NexusPlayed | undefined
  const stop = untilStopped()
  const producer = kafka.producer({ compression: 'lz4', deliveryTimeoutMs: context.timeoutMs })
  try {
    const selection = selectionOf(flags, context.say)
    const look = { signal: stop.signal, heard: context.say }
    if (isNexus(source)) nexus = await nexusPlayed(source, selection, samplingOf(flags), look)
    const played =
      nexus ??
      (origin === undefined
        ? await recordingPlayed(source, selection, look)
        : await topicOf(origin.kafka, origin.topic, selection, context))
    if (origin !== undefined && into === undefined && target(origin.topic ?? '') === origin.topic)
      throw usage(`${origin.topic} would be played into itself; give --to-prefix, --map or --into`)
    if (stop.signal.aborted) {
      context.say('it was stopped before anything was sent')
      return exitCodes.done
    }
    requireNames(source, played, map, prefix !== '', context)
    await requireRoom(kafka, played, target)
    if (!isShifted && Date.now() - (played.firstMs ?? Infinity) > WEEK_MS)
      context.say(
        'its times are more than a week old: a topic that keeps messages for a week deletes them; see --shift now'
      )
    if (nexus !== undefined && command !== undefined) await writeCommand(nexus, command, target, isShifted, context)
    const failing = new AbortController()
    const signal = AbortSignal.any([stop.signal, failing.signal])
    const player = new Player({ producer, speed, isShifted, target, signal, failed: () => failing.abort() })
    const round = { player, played, signal, loops: flags['loop'] === true }
    const { lanes, rounds } = await playRounds(round, context)
    await producer.flush().catch(() => undefined) // Told by its callbacks
    return await tell({ player, played, lanes, rounds, isStopped: stop.signal.aborted }, flags, context)
  } finally {
    stop.done()
    context.progress('')
    await producer.close()
    await kafka.close()
    await origin?.kafka.close()
    nexus?.close()
  }
}

export default play

/** What Kafka keeps unless it is told otherwise. */
const WEEK_MS = 7 * 86_400_000

async function writeCommand(
  nexus: NexusPlayed,
  file: string,
  target: (topic: string) => string,
  isShifted: boolean,
  { say }: ToolContext
): Promise<void> {
  // What is played a moment later is in the window all the same: it begins before, and ends late enough
  const shiftMs = isShifted ? Date.now() - (nexus.firstMs ?? 0) : 0
  for (const note of await nexus.writeCommand(file, target, shiftMs, isShifted ? LATEST_BEGIN_MS : 0)) say(note)
  say(`${file}: a start command that writes it again`)
}

/** From the writing of a command to the first message. */
const LATEST_BEGIN_MS = 60_000

async function topicOf(
  kafka: Kafka,
  topic: string | undefined,
  selection: Selection,
  { timeoutMs }: ToolContext
): Promise<Played> {
  if (topic === undefined) throw usage('no topic named; write host:port/topic, a recording (NAME.mcap) or a NeXus file')
  const [info] = await topicsOf(kafka, [topic])
  const span = { from: selection.from ?? ('start' as const), toMs: selection.toMs ?? Date.now() }
  return topicPlayed(kafka, topic, Math.max(...info!.partitions) + 1, { ...selection, ...span }, timeoutMs)
}

function speedOf(given: string): number {
  if (given === 'max') return Infinity
  const speed = Number(given)
  if (!/^\d+(\.\d+)?$/.test(given) || speed === 0)
    throw usage(`--speed ${given}: write a number such as 10 or 0.5, or max`)
  return speed
}

function samplingOf(flags: ToolFlags): Sampling {
  const over = text(flags['over']) ?? '10s'
  const durationMs = parseDuration(over)
  if (durationMs === 0) throw usage(`--over ${over}: the events need some time, such as 10s`)
  return { seed: countOf(text(flags['seed']) ?? '1', '--seed'), durationMs }
}

function shiftOf(given: string | undefined): boolean {
  if (given !== undefined && given !== 'now') throw usage(`--shift ${given}: only 'now' is known`)
  return given === 'now'
}

function selectionOf(flags: ToolFlags, say: (line: string) => void): Selection {
  const { to } = flags
  // The end of what is played lies behind, so it needs no beginning
  const span = spanOf({ ...flags, ...(to !== undefined && flags['from'] === undefined && { from: 'start' }) }, say)
  if (span.toMs !== undefined && span.toMs > Date.now() + 1000) throw usage(`--to ${String(to)} lies ahead`)
  return { ...span, topics: new Set(listOf(flags['topic'])), sources: new Set(listOf(flags['source'])) }
}

function mapOf(flags: ToolFlags): ReadonlyMap<string, string> {
  const pairs = listOf(flags['map']).map((pair) => {
    const [from, to, ...more] = pair.split('=')
    if (!from || !to || more.length > 0) throw usage(`--map ${pair}: write FROM=TO,FROM=TO`)
    return [from, to] as const
  })
  return new Map(pairs)
}

/**
 * Before anything is sent. A name that is mapped and not there may be a topic without messages; where another one would go to
 * where it came from, it is more likely a slip.
 */
function requireNames(
  source: string,
  { topics, known }: Played,
  map: ReadonlyMap<string, string>,
  isPrefixed: boolean,
  { say }: ToolContext
): void {
  const there = `${source} has ${[...known].join(', ') || 'no messages'}`
  const unknown = [...map.keys()].filter((name) => !known.has(name))
  const unmapped = isPrefixed ? [] : [...topics.keys()].filter((name) => !map.has(name))
  const what = `--map: there is no topic ${unknown.join(', ')} to play; ${there}`
  if (unknown.length > 0 && unmapped.length > 0) throw usage(`${what}, of which ${unmapped.join(', ')} would keep its name`) // prettier-ignore
  if (unknown.length > 0) say(what)
  if (topics.size === 0) say(`nothing is played: nothing of it was asked for, ${there}`)
}

/** Before anything is sent. */
async function requireRoom(kafka: Kafka, { topics }: Played, target: (topic: string) => string): Promise<void> {
  const needed = new Map<string, number>()
  for (const [topic, partitions] of topics)
    needed.set(target(topic), Math.max(needed.get(target(topic)) ?? 0, partitions))
  const found = await kafka.topics([...needed.keys()], 'WRITE')
  const wrong = [...needed].flatMap(([name, partitions]) => {
    const has = found.find((topic) => topic.name === name)?.partitions.length ?? 0
    if (has === 0) return [`there is no topic ${name} to play into; make it with ${partitions} partitions, or give --to-prefix or --map`] // prettier-ignore
    return has < partitions ? [`topic ${name} has ${has} partitions and needs ${partitions}; see 'nexstream provision'`] : [] // prettier-ignore
  })
  if (wrong.length > 0) throw new CodedError('TOPIC_MISSING', wrong.join('; '))
}

interface Rounds {
  readonly player: Player
  readonly played: Played
  readonly signal: AbortSignal
  readonly loops: boolean
}

async function playRounds({ player, played, signal, loops }: Rounds, context: ToolContext) {
  const show = meter(context, 'messages')
  let lanes: readonly LaneReport[] = []
  let rounds = 0
  if (loops) context.say('playing again and again; Ctrl-C ends it')
  do {
    let begun = false
    const before = player.messages
    lanes = await played.play((message) => {
      if (!begun) player.begin(played.firstMs ?? message.timestampMs)
      begun = true
      show(() => ({ done: player.messages - before, total: played.total, bytes: player.bytes }))
      return player.take(message)
    }, signal)
    rounds++
    // Nothing to play would go round for ever
    if (!begun) break
  } while (loops && !signal.aborted)
  return { lanes, rounds }
}

interface PlayOutcome {
  readonly player: Player
  readonly played: Played
  readonly lanes: readonly LaneReport[]
  readonly rounds: number
  readonly isStopped: boolean
}

async function tell(outcome: PlayOutcome, flags: ToolFlags, context: ToolContext): Promise<number> {
  const { player, played, lanes, rounds, isStopped } = outcome
  const { print, printJson, say } = context
  const topics = Object.fromEntries(player.topics)
  const [sent, failed] = (['sent', 'failed'] as const).map((key) => [...player.topics.values()].reduce((sum, counts) => sum + counts[key], 0)) as [number, number] // prettier-ignore
  const left = played.total === undefined ? 0 : played.total * rounds - player.messages
  const { lost } = reportOf(lanes)
  const report = { sent, failed, left, bytes: player.bytes, rounds, unshifted: player.unshifted, lost, topics }
  if (flags['json'] === true) await printJson(report)
  else {
    const again = rounds > 1 ? ` in ${rounds} rounds` : ''
    await print(`${sent} messages into ${player.topics.size} topics, ${bytes(player.bytes)}${again}`)
  }
  for (const line of notesOf(lanes)) say(line)
  if (player.unshifted > 0)
    say(`${player.unshifted} messages have no times that can be shifted; they were sent as they are`)
  if (isStopped && left > 0) say(`it was stopped; ${left} messages were not sent`)
  if (failed > 0) {
    const names = [...player.topics].flatMap(([name, counts]) =>
      counts.failed > 0 ? `${counts.failed} into ${name}` : []
    )
    throw new CodedError(
      'KAFKA_LOST',
      `${failed} messages were not delivered (${names.join(', ')}), ${left} after them not sent: ${player.error}`
    )
  }
  return lost && !isStopped ? exitCodes.findings : exitCodes.done
}
