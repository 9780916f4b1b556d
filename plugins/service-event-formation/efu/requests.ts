// Requests of the command port, as the field's tools (efushell) make them, and their answers.
import { type DetectorProgress } from '../thread/protocol.js'
import { statsOf } from './stats.js'

const LARGEST = 9000
const OK = '<OK>'
const error = (kind: 'BADCMD' | 'BADARGS' | 'BADSIZE'): string => `Error: <${kind}>`

/** What requests ask, or do to, a detector. */
export interface AskedDetector {
  readonly version: string
  readonly family: string
  /** Of its counters. */
  readonly path: string
  readonly uptimeS: () => number
  readonly progress: () => DetectorProgress
  /** The same, a second before. */
  readonly progressBefore: () => DetectorProgress
  readonly isRawOnly: () => boolean
  /** Rejects when there is no topic for raw copies. */
  readonly onlyRaw: (yes: boolean) => Promise<void>
  readonly exit: () => void
}

type Answer = string | Promise<string>
type Handler = (words: readonly string[], detector: AskedDetector) => Answer

const whole = (word: string): number => (/^\d+$/.test(word) ? Number(word) : -1)
const stats = (detector: AskedDetector): (readonly [string, number])[] =>
  statsOf(detector.progress(), detector.uptimeS())

/** With the number of words behind the name. */
const requests: Readonly<Record<string, readonly [words: number, handler: Handler]>> = {
  CALIB_MODE_GET: [0, (_, detector) => `CALIB_MODE_GET ${detector.isRawOnly() ? 1 : 0}`],
  CALIB_MODE_SET: [1, ([mode = ''], detector) => setMode(mode, detector)],
  CMD_GET: [1, ([index = '']) => nameOf(whole(index))],
  CMD_GET_COUNT: [0, () => `CMD_GET_COUNT ${names().length}`],
  DETECTOR_INFO_GET: [0, (_, { family }) => `DETECTOR_INFO_GET ${family}`],
  EXIT: [0, (_, detector) => (detector.exit(), OK)],
  RUNTIMESTATS: [0, (_, detector) => `RUNTIMESTATS ${runtime(detector.progressBefore(), detector.progress())}`],
  STAT_GET: [1, ([index = ''], detector) => statAt(whole(index), detector)],
  STAT_GET_COUNT: [0, (_, detector) => `STAT_GET_COUNT ${stats(detector).length}`],
  STAT_GET_NAME: [1, ([name = ''], detector) => `STAT_GET_NAME ${name} ${new Map(stats(detector)).get(name) ?? -1}`],
  VERSION_GET: [0, (_, { version }) => `VERSION_GET ${version} nexstream`]
}
const names = (): string[] => Object.keys(requests).toSorted()

function nameOf(index: number): string {
  const name = names()[index - 1]
  return name === undefined ? error('BADARGS') : `CMD_GET ${name}`
}

function statAt(index: number, detector: AskedDetector): string {
  const stat = stats(detector)[index - 1]
  return stat === undefined ? 'STAT_GET  -1' : `STAT_GET ${detector.path}.${stat[0]} ${stat[1]}`
}

async function setMode(mode: string, detector: AskedDetector): Promise<string> {
  if (mode !== '0' && mode !== '1') return error('BADARGS')
  try {
    await detector.onlyRaw(mode === '1')
    return OK
  } catch {
    return error('BADARGS')
  }
}

/** Bits: packets came, events were made, Kafka has confirmed. */
function runtime(before: DetectorProgress, now: DetectorProgress): number {
  const { packets, events, deliveredMessages } = now
  const grew = [packets > before.packets, events > before.events, deliveredMessages > before.deliveredMessages]
  return grew.reduce((bits, one, i) => bits + (one ? 1 << i : 0), 0)
}

/** Never rejects. */
export async function answerOf(request: string, detector: AskedDetector): Promise<string> {
  if (request.length > LARGEST) return error('BADSIZE')
  const [name, ...words] = request.split(/[\s\0]+/).filter((word) => word !== '')
  if (name === undefined) return error('BADSIZE')
  const found = Object.hasOwn(requests, name) ? requests[name] : undefined
  if (found === undefined) return error('BADCMD')
  const [count, handler] = found
  return words.length === count ? await handler(words, detector) : error('BADARGS')
}
