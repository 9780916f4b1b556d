// What Mantid demands of groups of events: LoadEventNexus.
import { broken, type RuleLook, met, type Rule } from './rule.js'
import { entryOf } from './entry.js'
import { below, type FileView } from './view.js'

const from = 'LoadEventNexus'
const SKIPPED = ['bank_error_events', 'bank_unmapped_events']
const integers = /^u?int(8|16|32|64)$/
const numbers = /^(u?int(8|16|32|64)|float(32|64))$/

/** Groups of events that Mantid finds: right below the entry. */
export function banksOf(view: FileView): readonly string[] {
  const entry = entryOf(view)
  if (entry === undefined) return []
  return view
    .groups(entry)
    .filter((path) => view.classOf(path) === 'NXevent_data' && !SKIPPED.includes(path.slice(path.lastIndexOf('/') + 1)))
}

/** Groups of events somewhere else, except those that a link brings to the entry and those of monitors. */
function deeperOf(view: FileView, entry: string): string[] {
  const banks = new Set(banksOf(view).map((bank) => view.address(bank)))
  return [...view.all(entry)].filter((path) => {
    const isDeep = view.classOf(path) === 'NXevent_data' && path.slice(entry.length + 1).includes('/')
    return isDeep && !isOfMonitor(view, path) && !banks.has(view.address(path))
  })
}

function isOfMonitor(view: FileView, path: string): boolean {
  for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/')))
    if (view.classOf(at) === 'NXmonitor') return true
  return false
}

/** A rule for each bank that Mantid finds. */
const forBanks = (
  id: string,
  says: string,
  look: (view: FileView, bank: string) => readonly RuleLook[] | RuleLook,
  level: Rule['level'] = 'must'
): Rule => ({ id, from, says, level, look: (view) => banksOf(view).flatMap((bank) => look(view, bank)) })

function eventGroups(view: FileView): RuleLook[] {
  const entry = entryOf(view)
  if (entry === undefined) return []
  const banks = banksOf(view)
  const deeper = deeperOf(view, entry).map((path) =>
    broken(path, 'its events are not found', `link it into ${entry} as NAME_events (flavour mantid does so)`)
  )
  if (banks.length > 0) return [met(entry, `${banks.length} groups of events`), ...deeper]
  if (deeper.length > 0 || view.isDataset(below(entry, 'detector_1/counts'))) return deeper
  return [broken(entry, 'no group of events', 'write an NXevent_data into the entry or link one there')]
}

function timeZero(view: FileView, bank: string): RuleLook {
  const path = below(bank, 'event_time_zero')
  const type = view.type(path)
  if (type === undefined) return broken(path, 'is not there', 'write the times of the pulses')
  if (type !== 'float64' && type !== 'uint64')
    return broken(path, `has the type ${type}`, 'write float64 (seconds) or uint64 (ns)')
  return view.length(path) === 0
    ? broken(path, 'is empty', 'write one pulse without events (flavour mantid does so)')
    : met(path, `${view.length(path)} pulses as ${type}`)
}

function timeUnits(view: FileView, bank: string): RuleLook[] {
  const path = below(bank, 'event_time_zero')
  const units = view.text(path, 'units')
  const type = view.type(path)
  if (units === undefined || (type !== 'float64' && type !== 'uint64')) return []
  const wanted = type === 'float64' ? /^s(ec(ond)?s?)?$/i : /^(ns|nanoseconds?)$/i
  return wanted.test(units)
    ? [met(path, `${type} in ${units}`)]
    : [broken(path, `${type} in '${units}'`, 'write seconds as float64 or ns as uint64')]
}

function epoch(view: FileView, bank: string): RuleLook {
  const path = below(bank, 'event_time_zero')
  const offset = view.isDataset(path) ? view.text(path, 'offset') : undefined
  if (offset === undefined) return broken(path, 'has no attribute offset', 'set offset to the time that it counts from')
  return Number.isNaN(Date.parse(offset))
    ? broken(path, `offset is '${offset}'`, 'write it as ISO 8601')
    : met(path, `counts from ${offset}`)
}

function index(view: FileView, bank: string): RuleLook {
  const path = below(bank, 'event_index')
  const type = view.type(path)
  if (type === undefined) return broken(path, 'is not there', 'write the index of the first event of each pulse')
  if (!integers.test(type)) return broken(path, `has the type ${type}`, 'write integers')
  const values = view.numbers(path)
  const length = view.length(path) ?? 0
  const pulses = view.length(below(bank, 'event_time_zero')) ?? 0
  const isEmptyBank = length === 1 && Number(values?.[0]) === 0
  if (length !== pulses && !isEmptyBank)
    return broken(path, `has ${length} rows for ${pulses} pulses`, 'write one for each pulse, or [0] for an empty bank')
  const events = view.length(below(bank, 'event_time_offset')) ?? 0
  const wrong = values?.findIndex((value, i) => Number(value) < Number(values[i - 1] ?? 0) || Number(value) > events)
  if (wrong !== undefined && wrong >= 0)
    return broken(path, `row ${wrong} points to ${values?.[wrong]} of ${events} events`, 'let it grow up to the events')
  return met(path, isEmptyBank && events === 0 ? 'an empty bank' : `${length} rows, as many as pulses`)
}

function ids(view: FileView, bank: string): RuleLook {
  const path = below(bank, 'event_id')
  const type = view.type(path)
  if (type === undefined) return broken(path, 'is not there', 'write a detector id or spectrum for each event')
  const [rows, events] = [view.length(path), view.length(below(bank, 'event_time_offset'))]
  if (type !== 'uint32') return broken(path, `has the type ${type}`, 'write uint32 (flavour mantid does so)')
  return rows === events
    ? met(path, `${rows} ids as uint32`)
    : broken(path, `${rows} ids for ${events} events`, 'write one for each event')
}

function offsets(view: FileView, bank: string): RuleLook {
  const path = below(bank, 'event_time_offset')
  const type = view.type(path)
  if (type === undefined) return broken(path, 'is not there', 'write the time of each event after its pulse')
  if (!numbers.test(type)) return broken(path, `has the type ${type}`, 'write numbers')
  const units = view.text(path, 'units')
  return units === undefined
    ? broken(path, 'has no units', 'set the attribute units, e.g. ns')
    : met(path, `${view.length(path)} events in ${units}`)
}

/** Of what need not be there. */
const typed =
  (name: string, wanted: string) =>
  (view: FileView, bank: string): RuleLook[] => {
    const path = below(bank, name)
    const type = view.type(path)
    if (type === undefined) return []
    return type === wanted
      ? [met(path, `is ${type}`)]
      : [broken(path, `has the type ${type}`, `write ${wanted}, or leave it out`)]
  }

export const eventRules: readonly Rule[] = [
  { id: 'event-groups', from, level: 'must', says: 'events are looked for in NXevent_data right below the entry only', look: eventGroups }, // prettier-ignore
  forBanks(
    'event-names',
    'the group of a bank is named BANK_events',
    (_view, bank) =>
      bank.endsWith('_events')
        ? met(bank, 'is named so')
        : broken(bank, 'has another name', 'name it after its bank, with _events'),
    'should'
  ),
  forBanks('event-time-zero', 'event_time_zero is float64 or uint64, and not empty', timeZero),
  forBanks('event-time-units', 'float64 is taken for seconds and uint64 for ns, whatever the units say', timeUnits),
  forBanks('event-epoch', 'without `offset` times count from 1970, with a warning', epoch, 'should'),
  forBanks('event-index', 'event_index has a whole number for each pulse, or is [0] for an empty bank', index),
  forBanks('event-id', 'event_id is read as uint32 and not converted', ids),
  forBanks('event-time-offset', 'event_time_offset needs its units', offsets),
  forBanks('event-weight', 'event_weight is read as float32', typed('event_weight', 'float32')),
  forBanks('total-counts', 'total_counts is read if it is uint64', typed('total_counts', 'uint64'), 'should')
]
