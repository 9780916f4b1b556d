// The rules by which scippnexus makes arrays with times of a file's groups.
import { broken, type RuleLook, met, type Rule } from './rule.js'
import { below, type FileView } from './view.js'

const from = 'scippnexus'
const integer = /^u?int/

const ofClass = (view: FileView, kind: string): string[] =>
  [...view.all()].filter((path) => view.classOf(path) === kind)

const forClass = (
  kind: string,
  id: string,
  says: string,
  look: (view: FileView, path: string) => readonly RuleLook[] | RuleLook,
  level: Rule['level'] = 'must'
): Rule => ({ id, from, says, level, look: (view) => ofClass(view, kind).flatMap((path) => look(view, path)) })

/** A time is a datetime where it has units of time and says what it counts from. */
function datetime(view: FileView, path: string): RuleLook {
  if (!view.isDataset(path)) return broken(path, 'is not there', 'write the times')
  const units = view.text(path, 'units')
  if (units === undefined || !/^(ns|us|µs|ms|s|min|h|(nano|micro|milli)?seconds?|minutes?|hours?)$/.test(units))
    return broken(path, units === undefined ? 'has no units' : `units are '${units}'`, 'set units of time, e.g. ns')
  const starts = ['start', 'offset'].flatMap((name) => view.text(path, name) ?? [])
  if (starts.length > 1) return broken(path, 'has both start and offset', 'leave one of them out')
  const [start] = starts
  if (start === undefined) return broken(path, 'says not what it counts from', 'set start (or offset) as ISO 8601')
  return Number.isNaN(Date.parse(start))
    ? broken(path, `counts from '${start}'`, 'write start as ISO 8601')
    : met(path, `${units} since ${start}`)
}

function eventParts(view: FileView, group: string): RuleLook {
  const [zero, index, offset, id] = ['event_time_zero', 'event_index', 'event_time_offset', 'event_id'].map((name) =>
    view.length(below(group, name))
  )
  const missing = Object.entries({ event_time_zero: zero, event_index: index, event_time_offset: offset })
    .filter(([, length]) => length === undefined)
    .map(([name]) => name)
  if (missing.length > 0) return broken(group, `has no ${missing.join(', ')}`, 'write them')
  if (zero !== index) return broken(group, `${index} indices for ${zero} pulses`, 'write one for each')
  if (id !== undefined && id !== offset) return broken(group, `${id} ids for ${offset} events`, 'write one for each')
  if (!integer.test(view.type(below(group, 'event_index')) ?? ''))
    return broken(below(group, 'event_index'), 'is not whole numbers', 'write int64')
  if (view.text(below(group, 'event_time_offset'), 'units') === undefined)
    return broken(below(group, 'event_time_offset'), 'has no units', 'set the attribute units, e.g. ns')
  return met(group, `${offset} events of ${zero} pulses`)
}

function logParts(view: FileView, group: string): RuleLook[] {
  const [value, time] = [view.length(below(group, 'value')), view.length(below(group, 'time'))]
  if (value === undefined) return [met(group, 'has no values')]
  if (time === undefined) return []
  return value === time
    ? [met(group, `${value} values`)]
    : [broken(group, `${value} values for ${time} times`, 'write one for each')]
}

function signal(view: FileView, group: string): RuleLook[] {
  const name = view.text(group, 'signal')
  if (name === undefined) return [broken(group, 'has no signal', 'set the attribute signal to what is to be shown')]
  return view.names(group).includes(name)
    ? [met(group, `signal is ${name}`)]
    : [broken(group, `signal is '${name}', which is not there`, 'name a dataset of the group')]
}

function places(view: FileView): RuleLook[] {
  return [...view.all()].flatMap((group) => {
    const path = below(group, 'depends_on')
    const target = view.text(path)
    if (target === undefined || target === '.') return []
    const at = target.startsWith('/') ? target : below(group, target)
    return view.isDataset(at) || view.isGroup(at)
      ? [met(path, `leads to ${at}`)]
      : [broken(path, `leads to ${at}, which is not there`, 'write the transformation, or let depends_on be .')]
  })
}

const entries = (view: FileView): RuleLook[] => {
  const found = view.groups('/').filter((path) => view.classOf(path) === 'NXentry')
  return found.length > 0 ? found.map((path) => met(path, 'is an NXentry')) : [broken('/', 'no NXentry', 'make one')]
}

export const scippnexusRules: readonly Rule[] = [
  { id: 'entry', from, level: 'must', says: 'a file has entries of class NXentry', look: entries },
  forClass('NXevent_data', 'events', 'events have pulses, an index for each pulse and units', eventParts),
  forClass('NXevent_data', 'event-times', 'pulses are datetimes', (view, path) => datetime(view, below(path, 'event_time_zero'))), // prettier-ignore
  forClass('NXlog', 'logs', 'a log has as many values as times', logParts),
  forClass('NXlog', 'log-times', 'times of logs are datetimes', (view, path) =>
    view.isDataset(below(path, 'value')) ? datetime(view, below(path, 'time')) : []
  ),
  forClass('NXdata', 'signal', 'the signal of an NXdata is there', signal),
  { id: 'depends-on', from, level: 'must', says: 'depends_on leads to a transformation', look: places }
]
