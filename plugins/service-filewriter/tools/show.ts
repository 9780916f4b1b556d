// `nexstream show`: what is in a NeXus file.
import { type Terminal, type ToolContext, type ToolFlags } from '../../../core/api/plugin.js'
import { bytes as sizeText, cutToWidth, table } from '../../tools-daemon/tool-kit.js'
import { treeOf, type TreeLine } from '../file/tree.js'
import { type EntrySummary, type FileSummary, type GroupSummary, summarise } from '../file/summary.js'

export default async function show(
  [file = '']: readonly (string | undefined)[],
  flags: ToolFlags,
  terminal: ToolContext
): Promise<void> {
  if (flags['tree'] === true) {
    for (const line of await treeOf(file))
      await (flags['json'] === true ? terminal.printJson(line) : terminal.print(treeText(line, terminal)))
    return
  }
  const summary = await summarise(file)
  if (flags['json'] === true) await terminal.printJson(summaryJson(summary))
  else await terminal.print(summaryText(summary, terminal))
}

/** Snake case, times as ISO 8601 and ns. */
const summaryJson = ({ path, bytes: size, entries }: FileSummary): unknown => ({
  path,
  bytes: size,
  entries: entries.map((entry) => ({
    path: entry.path,
    title: entry.title ?? null,
    start_time: entry.startTime ?? null,
    end_time: entry.endTime ?? null,
    events: entry.events,
    log_values: entry.logValues,
    first_ns: entry.firstNs ?? null,
    last_ns: entry.lastNs ?? null,
    groups: entry.groups.map((group) => ({
      path: group.path,
      nx_class: group.nxClass,
      rows: group.rows,
      pulses: group.pulses,
      first_ns: group.firstNs ?? null,
      last_ns: group.lastNs ?? null
    }))
  }))
})

/** Also what the demo prints. */
export function summaryText({ path, bytes, entries }: FileSummary, terminal: Terminal): string {
  return [`${path}  ${sizeText(bytes)}`, ...entries.map((entry) => entryText(entry, terminal))].join('\n')
}

function entryText(entry: EntrySummary, terminal: Terminal): string {
  const { bold, visible } = terminal
  const times = [entry.startTime, entry.endTime].filter((time) => time !== undefined).join(' … ')
  const head = `${bold(entry.path)}  ${visible(entry.title ?? '')}  ${times}`.trimEnd()
  const sums = `${entry.events} events, ${entry.logValues} log values${spanText(entry)}`
  const rows = entry.groups.map((group) => [`  ${visible(group.path)}`, group.nxClass, ...contentOf(group)])
  return [
    head,
    `  ${sums}`,
    table(terminal, [['  group', 'class', 'rows', 'pulses', 'first', 'rate/s'], ...rows])
  ].join('\n')
}

function treeText({ path, kind, dtype, shape, attributes }: TreeLine, { bold, visible }: Terminal): string {
  const depth = path.split('/').length - 2
  const name = visible(path.slice(path.lastIndexOf('/') + 1))
  const form =
    kind === 'dataset' ? `  ${dtype} [${shape?.join(' × ') ?? 'empty'}]` : kind === 'group' ? '' : `  ${kind}`
  const words = attributes.map(({ name: key, text }) => ` @${key}${text === undefined ? '' : `=${text}`}`)
  const indent = '  '.repeat(depth)
  const shown = kind === 'group' ? `${name}/` : name
  const rest = cutToWidth(form + visible(words.join('')), indent.length + shown.length)
  return `${indent}${kind === 'group' ? bold(shown) : shown}${rest}`
}

interface TimeSpan {
  readonly firstNs: bigint | undefined
  readonly lastNs: bigint | undefined
}

const secondsOf = ({ firstNs, lastNs }: TimeSpan): number =>
  firstNs === undefined || lastNs === undefined ? 0 : Number(lastNs - firstNs) / 1e9

const spanText = (span: TimeSpan): string => {
  const seconds = secondsOf(span)
  return seconds > 0 ? ` in ${seconds.toFixed(1)} s` : ''
}

function contentOf(group: GroupSummary): string[] {
  if (group.rows === 0 && group.firstNs === undefined) return ['', '', '', '']
  const seconds = secondsOf(group)
  const first = group.firstNs === undefined ? '' : new Date(Number(group.firstNs / 1_000_000n)).toISOString()
  const rate = seconds > 0 ? (group.rows / seconds).toFixed(1) : ''
  return [String(group.rows), group.pulses > 0 ? String(group.pulses) : '', first, rate]
}
