// Muon events and runs as the files of ISIS' muon instruments have them.
import { API, definePlugin } from '../../core/api/plugin.js'
import { defineWriter } from '../service-filewriter/writer-kit.js'
import { muonConfig, MuonWriter } from './events.js'
import { madeByMuonRun, MuonRunWriter, muonRunConfig } from './run.js'

const writer = defineWriter({
  id: 'aev2',
  summary: 'Muon events (aev2, or dev2 of single digitisers) as NXevent_data, with height, period, frame and vetoes.',
  accepts: ['aev2', 'dev2'],
  config: muonConfig,
  nxClass: 'NXevent_data',
  keepsLast: false,
  madeAtClose: () => ['total_counts'],
  open: (group, options) => new MuonWriter(group, options)
})

const run = defineWriter({
  id: 'muon_run',
  summary:
    'A run of a muon instrument of ISIS (aev2), in the entry: detector_1 with events by frame, fields of the run, periods, frames without all digitisers.',
  accepts: ['aev2'],
  config: muonRunConfig,
  nxClass: 'NXentry',
  keepsLast: false,
  madeAtClose: () => madeByMuonRun,
  open: (group, options, context) => new MuonRunWriter(group, options, context)
})

export default definePlugin({
  name: 'writer-muons',
  version: '1.0.0',
  api: API,
  summary: 'Writes runs of muon instruments of ISIS (aev2), and muon events (aev2, dev2) as NXevent_data.',
  apply(registry) {
    registry.writer(writer)
    registry.writer(run)
  }
})
