// `nexstream pvs`: a live table of the newest value, alarm and connection of every source on a topic.
import { type ToolContext, type ToolRun, visible } from '../../core/api/plugin.js'
import { repainted, table } from '../tools-daemon/tool-kit.js'
import { type Decoded, decodeValue, short, sourceOf } from './decoding.js'
import { decoderOf } from './foreign.js'
import { scanFrom } from './origin.js'
import { isWatched } from './scan.js'

interface Pv {
  value: string | undefined
  alarm: string | undefined
  connection: string | undefined
  schema: string
  updates: number
  lastMs: number
}

/** Reads the newest 10 000 messages, and goes on with --watch: repainted, or with --json each PV whenever it is told anew. */
const pvs: ToolRun = async ([address], flags, context) => {
  const { print, printJson, timeoutMs } = context
  const decoder = await decoderOf(context)
  const known = new Map<string, Pv>()
  const paint = repainted()
  const watching = isWatched(flags)
  const isJson = flags['json'] === true
  const repaint = watching && !isJson ? setInterval(() => paint(pvTable(known, context)), 500) : undefined
  const fresh = new Set<string>()
  try {
    await scanFrom(
      address,
      { last: 10_000, follow: watching, timeoutMs },
      {
        message: ({ value, timestampMs }) => {
          const name = note(known, decodeValue(value, decoder.decode), timestampMs)
          if (name !== undefined && watching && isJson) fresh.add(name)
        },
        batch: async () => {
          for (const name of fresh) await printJson(jsonOf(name, known.get(name)!))
          fresh.clear()
        }
      },
      context
    )
  } finally {
    clearInterval(repaint)
    await decoder.close()
  }
  if (!isJson) return print(pvTable(known, context))
  for (const [name, pv] of sorted(known)) await printJson(jsonOf(name, pv))
}

export default pvs

const jsonOf = (name: string, pv: Pv) => ({ name, ...pv, last: new Date(pv.lastMs).toISOString() })

const sorted = (known: ReadonlyMap<string, Pv>): [string, Pv][] =>
  [...known].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))

/** Values, alarms and connection states come in messages of several schemas; each fills in what it knows. Gives whose it is. */
function note(known: Map<string, Pv>, decoded: Decoded, timeMs: number): string | undefined {
  const name = sourceOf(decoded)
  if (name === undefined || decoded.file_identifier === null) return undefined
  const message = decoded.message as Readonly<Record<string, unknown>>
  const pv = known.get(name) ?? {
    value: undefined, alarm: undefined, connection: undefined, schema: '', updates: 0, lastMs: 0
  } // prettier-ignore
  known.set(name, pv)
  pv.lastMs = Math.max(pv.lastMs, timeMs)
  if (message['value'] !== undefined) {
    pv.value = short(message['value'])
    pv.schema = decoded.file_identifier
    pv.updates++
  } else if (message['status'] !== undefined || message['type'] !== undefined)
    pv.connection = short(message['status'] ?? message['type'])
  const severity = message['severity']
  if (severity !== undefined && short(severity) !== 'NO_CHANGE') pv.alarm = short(severity)
  return name
}

const alarmColours = { MINOR: 'yellow', MAJOR: 'red', INVALID: 'magenta' } as const
const isColoured = (alarm: string): alarm is keyof typeof alarmColours => Object.hasOwn(alarmColours, alarm)

function pvTable(known: ReadonlyMap<string, Pv>, context: ToolContext): string {
  const { colour } = context
  const rows = sorted(known).map(([name, pv]) => {
    const alarm = pv.alarm ?? '-'
    const age = `${Math.max(0, Math.round((Date.now() - pv.lastMs) / 1000))} s`
    const shownAlarm = isColoured(alarm) ? colour[alarmColours[alarm]](alarm) : alarm
    return [visible(name), pv.value ?? '-', shownAlarm, pv.connection ?? '-', pv.schema, String(pv.updates), age]
  })
  return table(context, [['name', 'value', 'alarm', 'connection', 'schema', 'updates', 'age'], ...rows])
}
