// The rules by which Mantid reads a file: entry, run, instrument, periods; events and logs have files of their own.
import { basename } from 'node:path'
import { entryOf, lookForEntry } from './entry.js'
import { banksOf, eventRules } from './mantid-events.js'
import { histogramRules } from './mantid-histogram.js'
import { logRules } from './mantid-logs.js'
import { broken, type RuleLook, met, type Rule } from './rule.js'
import { below, type FileView } from './view.js'

const from = 'LoadEventNexus'

const inEntry =
  (look: (view: FileView, entry: string) => readonly RuleLook[]) =>
  (view: FileView): readonly RuleLook[] => {
    const entry = entryOf(view)
    return entry === undefined ? [] : look(view, entry)
  }

function start(view: FileView, entry: string): RuleLook[] {
  const charge = below(entry, 'DASlogs/proton_charge')
  if (view.isGroup(charge) && (view.length(below(charge, 'time')) ?? 0) > 0) return [met(charge, 'tells the start')]
  const time = below(entry, 'start_time')
  const text = view.text(time)
  if (text !== undefined)
    return Number.isNaN(Date.parse(text))
      ? [broken(time, `is '${text}'`, 'write it as ISO 8601')]
      : [met(time, `is ${text}`)]
  return banksOf(view).some((bank) => (view.length(below(bank, 'event_time_zero')) ?? 0) > 0)
    ? [met(entry, 'the first pulse is taken for the start')]
    : [broken(time, 'is not there', 'write it as ISO 8601 (module mdat)')]
}

function charge(view: FileView, entry: string): RuleLook[] {
  const log = below(entry, 'DASlogs/proton_charge')
  if (!view.isGroup(log)) {
    const total = below(entry, 'proton_charge')
    if (view.isDataset(total)) return [met(total, 'is the total charge')]
    return [broken(log, 'is not there', 'write it from pulse messages (module pu00 with flavour mantid)')]
  }
  const units = view.text(below(log, 'value'), 'units') ?? ''
  return /^uAh$|picoCoulomb/i.test(units)
    ? [met(log, `is in ${units}`)]
    : [broken(below(log, 'value'), `units are '${units}'`, 'write uAh or picoCoulomb')]
}

function instrument(view: FileView, entry: string): RuleLook[] {
  const group = view.groups(entry).find((path) => view.classOf(path) === 'NXinstrument') ?? below(entry, 'instrument')
  for (const path of ['instrument_xml/data', 'instrument_xml'].map((name) => below(group, name)))
    if (view.isDataset(path)) return [met(path, 'describes the instrument')]
  const isPlaced = (path: string): boolean =>
    view.classOf(path) === 'NXdetector' &&
    ['x_pixel_offset', 'pixel_shape', 'detector_shape'].some((name) => view.names(path).includes(name))
  const detector = view.groups(group).find(isPlaced)
  if (detector !== undefined) return [met(detector, 'has a geometry')]
  for (const path of [below(group, 'name'), below(entry, 'isis_vms_compat/NAME')]) {
    const name = view.text(path)
    if (name !== undefined && name !== '') return [met(path, `is ${name}`)]
  }
  const file = basename(view.fileName)
  const remedy = 'write instrument/name, or a whole geometry'
  const found = file.includes('_')
    ? `only the file name says '${file.slice(0, file.indexOf('_'))}'`
    : 'nothing names it'
  return [broken(group, found, remedy)]
}

function spectra(view: FileView, entry: string): RuleLook[] {
  const compat = below(entry, 'isis_vms_compat')
  const [detectors, numbers] = [view.length(below(compat, 'UDET')), view.length(below(compat, 'SPEC'))]
  if (detectors === undefined && numbers === undefined) return []
  return detectors === numbers
    ? [met(compat, `maps ${detectors} detectors to spectra`)]
    : [broken(compat, `${detectors ?? 'no'} UDET for ${numbers ?? 'no'} SPEC`, 'write both, of equal length')]
}

function shift(view: FileView, entry: string): RuleLook[] {
  const program = below(entry, 'program_name')
  if (view.text(program) !== 'ISISICP.EXE') return []
  return banksOf(view).map((bank) => {
    const path = below(bank, 'event_time_offset_shift')
    return view.text(path) === 'random'
      ? met(path, 'is random')
      : broken(path, `is not 'random'`, 'write it, or name another program in program_name')
  })
}

function periods(view: FileView, entry: string): RuleLook[] {
  const group = below(entry, 'periods')
  if (!view.isGroup(group)) return []
  const number = below(group, 'number')
  const type = view.type(number)
  if (type !== 'int32') return [broken(number, type === undefined ? 'is not there' : `is ${type}`, 'write int32')]
  const log = below(entry, 'framelog/period_log/value')
  const values = view.numbers(log)
  if (values === undefined) return [met(number, 'is int32; there is no log of periods')]
  const [bank] = banksOf(view)
  const pulses = bank === undefined ? undefined : view.length(below(bank, 'event_time_zero'))
  if (pulses !== undefined && pulses !== values.length)
    return [broken(log, `${values.length} periods for ${pulses} pulses`, 'write one for each pulse of each bank')]
  const wrong = values.findIndex((value) => Number(value) < 1)
  return wrong >= 0
    ? [broken(log, `row ${wrong} is ${values[wrong]}`, 'let periods count from 1')]
    : [met(log, `${values.length} periods, one for each pulse`)]
}

function duration(view: FileView, entry: string): RuleLook[] {
  const path = below(entry, 'duration')
  if (!view.isDataset(path)) return []
  const units = view.text(path, 'units')
  return units === undefined ? [broken(path, 'has no units', 'set the attribute units')] : [met(path, `is in ${units}`)]
}

function runNumber(view: FileView, entry: string): RuleLook[] {
  const path = below(entry, 'run_number')
  const type = view.type(path)
  if (type === undefined) return [broken(path, 'is not there', 'write it as int32 or text')]
  return type === 'int32' || type.startsWith('string')
    ? [met(path, `is ${type}`)]
    : [broken(path, `has the type ${type}`, 'write int32 or text')]
}

const named = ['title', 'sample/name']
const texts = (view: FileView, entry: string): RuleLook[] =>
  named.map((name) => {
    const path = below(entry, name)
    return view.text(path) === undefined ? broken(path, 'is not there', 'write it as text') : met(path, 'is a text')
  })

export const mantidRules: readonly Rule[] = [
  { id: 'entry', from, level: 'must', says: 'the file has an entry of class NXentry named entry or raw_data_1', look: lookForEntry }, // prettier-ignore
  ...eventRules,
  { id: 'start', from, level: 'must', says: 'the start is taken from the log proton_charge, else from start_time, else from the first pulse', look: inEntry(start) }, // prettier-ignore
  { id: 'proton-charge', from, level: 'should', says: 'the charge is read from DASlogs/proton_charge', look: inEntry(charge) }, // prettier-ignore
  { id: 'instrument', from, level: 'must', says: 'the instrument is taken from instrument_xml, the geometry, instrument/name or isis_vms_compat/NAME', look: inEntry(instrument) }, // prettier-ignore
  { id: 'spectra', from, level: 'must', says: 'UDET and SPEC have equal length', look: inEntry(spectra) },
  { id: 'time-shift', from, level: 'should', says: 'times of ISISICP.EXE are shifted unless event_time_offset_shift is random', look: inEntry(shift) }, // prettier-ignore
  { id: 'periods', from, level: 'must', says: 'periods/number is int32, framelog/period_log counts from 1 and has one for each pulse', look: inEntry(periods) }, // prettier-ignore
  { id: 'duration', from, level: 'must', says: 'duration needs its units', look: inEntry(duration) },
  { id: 'run-number', from, level: 'should', says: 'run_number is int32 or text', look: inEntry(runNumber) },
  { id: 'texts', from, level: 'should', says: 'title and sample/name are read', look: inEntry(texts) },
  ...logRules,
  ...histogramRules
]
