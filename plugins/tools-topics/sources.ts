// `nexstream sources`: who writes to a topic, or wrote to those of a recording: schema, source, partitions, count, rate, last time and value.
import { type ToolRun, visible } from '../../core/api/plugin.js'
import { meter, table } from '../tools-daemon/tool-kit.js'
import { isRecording } from '../tools-recording/recording-kit.js'
import { clock, type Decoded, decodeValue, sourceOf, summaryOf } from './decoding.js'
import { decoderOf } from './foreign.js'
import { scanFrom } from './origin.js'
import { type Visited } from './scan.js'
import { spanOf, type SpanFlags } from './tail.js'

interface SourcesFlags extends Omit<SpanFlags, 'follow'> {
  readonly json?: boolean
}

interface Seen {
  readonly topic: string
  readonly schema: string
  readonly source: string
  readonly partitions: Set<number>
  count: number
  bytes: number
  firstMs: number
  lastMs: number
  last: Decoded
}

/** Reads the whole topic unless a span is given. */
const sources: ToolRun = async ([address], given, context) => {
  const flags = given as SourcesFlags
  const { print, printJson, progress, say } = context
  const show = meter(context, 'messages')
  let most: number | undefined
  const decoder = await decoderOf(context)
  const seen = new Map<string, Seen>()
  let total = 0
  try {
    await scanFrom(
      address,
      { ...spanOf(flags, context), ...(hasSpan(flags) ? {} : { offset: 0 }) },
      {
        message: (message) => {
          total++
          note(seen, message, decodeValue(message.value, decoder.decode)).partitions.add(message.partition)
        },
        total: (messages) => (most = messages),
        batch: async () => Promise.resolve(show(() => ({ done: total, total: most })))
      },
      context
    )
  } finally {
    progress('')
    await decoder.close()
  }
  const list = [...seen.values()].toSorted((a, b) => compare(rankOf(a), rankOf(b)))
  const several = isRecording(address)
  if (flags.json === true) for (const entry of list) await printJson(jsonOf(entry))
  else
    await print(
      table(context, [
        [
          ...(several ? ['topic'] : []),
          'schema',
          'source',
          'partitions',
          'count',
          'rate/s',
          'last seen',
          'last content'
        ],
        ...list.map((entry) => [...(several ? [visible(entry.topic)] : []), ...rowOf(entry)])
      ])
    )
  say(`${total} messages of ${seen.size} sources`)
}

export default sources

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const hasSpan = (flags: SourcesFlags): boolean =>
  flags.last !== undefined || flags.offset !== undefined || flags.time !== undefined

const rankOf = ({ topic, schema, source }: Seen): string => `${topic} ${schema}${source}`

function note(seen: Map<string, Seen>, { topic, value, timestampMs: timeMs }: Visited, decoded: Decoded): Seen {
  const bytes = value?.length ?? 0
  const schema = decoded.file_identifier ?? '????'
  const source = sourceOf(decoded) ?? ''
  const key = `${topic}\n${schema}\n${source}`
  const entry = seen.get(key)
  if (entry === undefined) {
    const first = { topic, schema, source, partitions: new Set<number>(), count: 1, bytes, firstMs: timeMs, lastMs: timeMs, last: decoded } // prettier-ignore
    seen.set(key, first)
    return first
  }
  entry.count++
  entry.bytes += bytes
  if (timeMs >= entry.lastMs) [entry.lastMs, entry.last] = [timeMs, decoded]
  entry.firstMs = Math.min(entry.firstMs, timeMs)
  return entry
}

const partitionsOf = ({ partitions }: Seen): number[] => [...partitions].sort((a, b) => a - b)

/** Messages a second between the first and the last one; null for fewer than two moments. */
const rateOf = ({ count, firstMs, lastMs }: Seen): number | null =>
  lastMs > firstMs ? ((count - 1) * 1000) / (lastMs - firstMs) : null

const jsonOf = (entry: Seen): unknown => ({
  topic: entry.topic,
  schema: entry.schema,
  source: entry.source,
  partitions: partitionsOf(entry),
  count: entry.count,
  bytes: entry.bytes,
  rate_hz: rateOf(entry),
  first: new Date(entry.firstMs).toISOString(),
  last: new Date(entry.lastMs).toISOString(),
  last_message: entry.last.message
})

const rowOf = (entry: Seen): string[] => [
  entry.schema,
  visible(entry.source),
  partitionsOf(entry).join(','),
  String(entry.count),
  rateOf(entry)?.toFixed(1) ?? '-',
  clock(entry.lastMs),
  summaryOf(entry.last).slice(0, 60)
]
