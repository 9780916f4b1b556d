// What Mantid demands of the histograms of ISIS: LoadISISNexus.
import { broken, type RuleLook, met, type Rule } from './rule.js'
import { below, type FileView } from './view.js'

const from = 'LoadISISNexus'
const entry = '/raw_data_1'
const detector = below(entry, 'detector_1')
const fields = ['NSP1', 'UDET', 'SPEC', 'SPB', 'RSPB', 'IRPB', 'RRPB']

const isHistogram = (view: FileView): boolean => view.isDataset(below(detector, 'counts'))

function counts(view: FileView): RuleLook[] {
  if (!isHistogram(view)) return []
  const path = below(detector, 'counts')
  const { shape = [] } = view.form(path) ?? {}
  if (view.type(path) !== 'int32' || shape.length !== 3)
    return [broken(path, `is ${view.type(path)} [${shape.join(', ')}]`, 'write int32 [period][spectrum][time]')]
  const [, rows = 0, bins = 0] = shape
  const looks = [met(path, `is [${shape.join(', ')}]`)]
  const index = below(detector, 'spectrum_index')
  looks.push(
    view.type(index) === 'int32' && view.length(index) === rows
      ? met(index, `${rows} spectra`)
      : broken(index, `is not int32 of ${rows}`, 'write the number of each spectrum')
  )
  const edges = ['time_of_flight', 'raw_time'].map((name) => below(detector, name)).find((name) => view.isDataset(name))
  if (edges === undefined)
    looks.push(broken(below(detector, 'time_of_flight'), 'is not there', 'write edges as float32'))
  else if (view.type(edges) !== 'float32' || view.length(edges) !== bins + 1)
    looks.push(broken(edges, `is ${view.type(edges)} of ${view.length(edges)}`, `write float32 of ${bins + 1} edges`))
  else looks.push(met(edges, `${bins + 1} edges`))
  return looks
}

function name(view: FileView): RuleLook[] {
  if (!isHistogram(view)) return []
  const path = below(entry, 'name')
  return view.text(path) === undefined
    ? [broken(path, 'is not there', 'write the name of the instrument as text')]
    : [met(path, 'is a text')]
}

function monitors(view: FileView): RuleLook[] {
  if (!isHistogram(view)) return []
  return view
    .groups(entry)
    .filter((path) => view.classOf(path) === 'NXmonitor')
    .map((path) => {
      const missing = ['spectrum_index', 'data', 'time_of_flight'].filter((one) => !view.isDataset(below(path, one)))
      return missing.length === 0
        ? met(path, 'is whole')
        : broken(path, `has no ${missing.join(', ')}`, 'write them, or leave the monitor out')
    })
}

function compat(view: FileView): RuleLook[] {
  if (!isHistogram(view)) return []
  const group = below(entry, 'isis_vms_compat')
  const missing = fields.filter((one) => !view.isDataset(below(group, one)))
  return missing.length === 0
    ? [met(group, 'is whole')]
    : [broken(group, `has no ${missing.join(', ')}`, 'write them: sample and detectors are taken from there')]
}

export const histogramRules: readonly Rule[] = [
  { id: 'histogram', from, level: 'must', says: 'detector_1 has counts, spectrum_index and n + 1 edges', look: counts },
  { id: 'histogram-name', from, level: 'must', says: 'the entry names the instrument', look: name },
  {
    id: 'monitors',
    from,
    level: 'must',
    says: 'a monitor has spectrum_index, data and time_of_flight',
    look: monitors
  },
  { id: 'vms-compat', from, level: 'should', says: 'isis_vms_compat has the fields of the old raw file', look: compat }
]
