// `nexstream tail`: the messages of a topic or a recording, decoded, one line each.
import { type ToolContext, type ToolRun, visible } from '../../core/api/plugin.js'
import { countOf, moment } from '../tools-daemon/tool-kit.js'
import { clock, decodeValue, sourceOf, summaryOf, toJson } from './decoding.js'
import { type Decode, decoderOf } from './foreign.js'
import { type OriginSpan, scanFrom } from './origin.js'
import { type Visited, type Visitor } from './scan.js'

export interface SpanFlags {
  readonly last?: string
  readonly offset?: string
  readonly time?: string
  readonly to?: string
  readonly partition?: string
  readonly topic?: string
  readonly follow?: boolean
}

interface TailFlags extends SpanFlags {
  readonly filter?: string
  readonly source?: string
  readonly key?: string
  readonly json?: boolean
  readonly raw?: boolean
}

/** The part of a topic that the flags ask for; the whole topic when they say nothing and `defaultLast` is not given. */
export function spanOf(flags: SpanFlags, context: ToolContext, defaultLast?: number): OriginSpan {
  const { say, timeoutMs } = context
  const anywhere = flags.last !== undefined || flags.offset !== undefined || flags.time !== undefined
  const last = flags.last === undefined ? (anywhere ? undefined : defaultLast) : countOf(flags.last, '--last')
  return {
    timeoutMs,
    ...(last !== undefined && { last }),
    ...(flags.offset !== undefined && { offset: countOf(flags.offset, '--offset') }),
    ...(flags.time !== undefined && { fromMs: moment(flags.time, say) }),
    ...(flags.to !== undefined && { toMs: moment(flags.to, say) }),
    ...(flags.partition !== undefined && { partition: countOf(flags.partition, '--partition') }),
    ...(flags.topic !== undefined && { topic: flags.topic }),
    ...(flags.follow === true && { follow: true })
  }
}

interface Line {
  readonly timestampMs: number
  readonly text: string
}

/** Messages of each partition that are looked at for the last n that fit a filter. */
const SEARCHED_BACK = 10_000

/** Without --follow it ends at what is there now; with --last n it shows the n newest of all partitions. */
const tail: ToolRun = async ([address], given, context) => {
  const flags = given as TailFlags
  const decoder = await decoderOf(context)
  const asked = spanOf(flags, context, 10)
  const picky = flags.filter !== undefined || flags.source !== undefined || flags.key !== undefined
  // The last n that fit may lie further back than the last n
  const span = asked.last !== undefined && picky ? { ...asked, last: Math.max(asked.last, SEARCHED_BACK) } : asked
  let lines: Line[] = []
  let gathering = asked.last !== undefined
  const flush = async (): Promise<void> => {
    const ready = lines
    lines = []
    for (const line of ready) await context.print(line.text)
  }
  try {
    const visitor: Visitor = {
      message: (message) => {
        const text = lineOf(message, flags, decoder.decode, context.colour)
        if (text !== undefined) lines.push({ timestampMs: message.timestampMs, text })
      },
      batch: async () => (gathering ? undefined : flush()),
      caughtUp: async () => {
        if (gathering) lines = lines.toSorted((a, b) => a.timestampMs - b.timestampMs).slice(-(asked.last ?? 0) || lines.length) // prettier-ignore
        gathering = false
        await flush()
      }
    }
    await scanFrom(address, span, visitor, context)
  } finally {
    await decoder.close()
  }
}

export default tail

function lineOf(message: Visited, flags: TailFlags, decode: Decode, colour: ToolContext['colour']): string | undefined {
  const ids = flags.filter?.split(',')
  const key = message.key?.toString('utf8') ?? null
  if (flags.key !== undefined && key !== flags.key) return undefined
  const { topic, partition, offset, timestampMs, value } = message
  const head = { topic, partition, offset, timestamp_ms: timestampMs, key }
  const raw = (): string => toJson({ ...head, value: value?.toString('base64') ?? null })
  // Whole topics are dumped so: nothing is decoded that nobody asks for
  if (flags.raw === true && ids === undefined && flags.source === undefined) return raw()
  const decoded = decodeValue(value, decode)
  if (ids !== undefined && !ids.includes(decoded.file_identifier ?? '')) return undefined
  const source = sourceOf(decoded)
  if (flags.source !== undefined && source !== flags.source) return undefined
  if (flags.raw === true) return raw()
  if (flags.json === true) return toJson({ ...head, ...decoded })
  const place = colour.dim(`${clock(timestampMs)} ${topic}[${partition}]@${offset}`)
  const id = decoded.error === undefined ? colour.cyan(decoded.file_identifier ?? '????') : colour.red('????')
  return `${place} ${id} ${colour.bold(visible(source ?? ''))} ${summaryOf(decoded)}`
}
