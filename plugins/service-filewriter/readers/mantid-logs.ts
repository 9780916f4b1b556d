// What Mantid demands of logs: LoadNexusLogs.
import { broken, type RuleLook, met, type Rule } from './rule.js'
import { entryOf } from './entry.js'
import { below, type FileView } from './view.js'

const from = 'LoadNexusLogs'
const classes = ['IXselog', 'IXrunlog']
const names = ['DASlogs', 'framelog']
const MOST_NAMED = 5

/** Groups that Mantid looks for logs in. */
function homesOf(view: FileView): readonly string[] {
  const entry = entryOf(view)
  if (entry === undefined) return []
  const isHome = (path: string): boolean =>
    classes.includes(view.classOf(path)) || names.includes(path.slice(path.lastIndexOf('/') + 1))
  return view.groups(entry).filter(isHome)
}

interface MantidLogFound {
  readonly path: string
  readonly value: string
}

/** The logs in them, with their values. */
function logsOf(view: FileView): readonly MantidLogFound[] {
  return homesOf(view).flatMap((home) =>
    view.groups(home).flatMap((path) => {
      const kind = view.classOf(path)
      if (kind === 'NXlog' || kind === 'NXpositioner') return [{ path, value: below(path, 'value') }]
      const log = below(path, 'value_log')
      return kind === 'IXseblock' && view.isGroup(log) ? [{ path: log, value: below(log, 'value') }] : []
    })
  )
}

function logGroups(view: FileView): RuleLook[] {
  const entry = entryOf(view)
  if (entry === undefined) return []
  const known = logsOf(view)
  const addresses = new Set(known.map(({ path }) => view.address(path)))
  const stems = new Set(known.map(({ path }) => path.slice(path.lastIndexOf('/') + 1)))
  const all = [...view.all(entry)].filter((path) => view.classOf(path) === 'NXlog')
  const lost = all.filter(
    (path) => !addresses.has(view.address(path)) && !stemsOf(path).some((stem) => stems.has(stem))
  )
  const found = known.length === 0 ? [] : [met(entry, `${known.length} logs`)]
  if (lost.length === 0) return found
  const list = lost.slice(0, MOST_NAMED).join(', ') + (lost.length > MOST_NAMED ? ' …' : '')
  const remedy = `write them into ${below(entry, 'DASlogs')} (flavour mantid does so)`
  return [...found, broken(entry, `${lost.length} of ${all.length} logs are not found: ${list}`, remedy)]
}

/** Names under which a log may stand in DASlogs once more: of its group, or with those of its parents. */
function stemsOf(path: string): string[] {
  const words = path.split('/').filter((word) => word !== '')
  return words.map((_, i) => words.slice(i).join('_')).concat(words.slice(-2, -1))
}

const forLogs = (
  id: string,
  says: string,
  look: (view: FileView, log: MantidLogFound) => readonly RuleLook[] | RuleLook
): Rule => ({ id, from, says, level: 'must', look: (view) => logsOf(view).flatMap((log) => look(view, log)) })

function logTimes(view: FileView, { path }: MantidLogFound): RuleLook {
  const time = below(path, 'time')
  if (!view.isDataset(time)) return broken(time, 'is not there', 'write a time for each value')
  const start = view.text(time, 'start') ?? view.text(time, 'offset')
  if (start === undefined || Number.isNaN(Date.parse(start)))
    return broken(time, `start is ${start === undefined ? 'missing' : `'${start}'`}`, 'set start as ISO 8601')
  const units = view.text(time, 'units') ?? ''
  if (units === 'us') return broken(time, "units are 'us', which are taken for seconds", 'write seconds')
  return /^(s|seconds?|minutes)$/.test(units)
    ? met(time, `${units} since ${start}`)
    : broken(time, `units are '${units}'`, "write seconds as float64 with units 's'")
}

function logLengths(view: FileView, { path, value }: MantidLogFound): RuleLook {
  if (!view.isDataset(value)) return broken(value, 'is not there', 'write a value for each time')
  const [values, times] = [view.length(value), view.length(below(path, 'time'))]
  return values === times
    ? met(path, `${values} values`)
    : broken(path, `${values} values for ${times} times`, 'write one for each')
}

function logTexts(view: FileView, { value }: MantidLogFound): RuleLook[] {
  const { name = '', shape = [] } = view.form(value) ?? {}
  if (!name.startsWith('string')) return []
  if (name === 'string') return [broken(value, 'holds texts of variable length', 'write texts of fixed length, [n, 1]')]
  return shape.length === 2
    ? [met(value, `texts of two dimensions, ${name}`)]
    : [broken(value, `texts of ${shape.length} dimensions`, 'write texts of fixed length, [n, 1]')]
}

function logValidity(view: FileView, { path }: MantidLogFound): RuleLook[] {
  const valid = below(path, 'value_valid')
  const type = view.type(valid)
  if (type === undefined) return []
  if (!/^u?int/.test(type)) return [broken(valid, `has the type ${type}`, 'write integers, 1 for valid')]
  const [flags, times] = [view.length(valid), view.length(below(path, 'time'))]
  return flags === times
    ? [met(valid, `${flags} flags`)]
    : [broken(valid, `${flags} flags for ${times} times`, 'write one for each')]
}

export const logRules: readonly Rule[] = [
  { id: 'log-groups', from, level: 'must', says: 'logs are looked for one level below the entry only: in IXselog, IXrunlog, DASlogs and framelog', look: logGroups }, // prettier-ignore
  forLogs('log-times', '`time` needs `start` and units of seconds or minutes', logTimes),
  forLogs('log-lengths', 'a log has as many values as times', logLengths),
  forLogs('log-texts', 'texts have two dimensions and a fixed length', logTexts),
  forLogs('log-validity', 'value_valid is whole numbers, one for each value', logValidity)
]
