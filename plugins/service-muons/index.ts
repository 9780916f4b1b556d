// Plugin service-muons: from traces of muon digitisers to the events of frames.
import { API, definePlugin, defineService } from '../../core/api/plugin.js'
import { eventMetrics, eventMetricsOf, frameMetrics, frameMetricsOf } from './metrics.js'
import { eventOptions, frameOptions } from './options.js'
import { MuonService } from './service.js'

const events = defineService({
  id: 'muon_events',
  summary: 'Finds events in traces of muon digitisers: dat2 to dev2.',
  config: eventOptions,
  metrics: eventMetrics,
  open: (options, context) =>
    new MuonService({
      options,
      context,
      name: 'the search for muon events',
      entry: new URL('./thread/events-main.js', import.meta.url),
      shows: ({ messages, sent, events: found }) => ({ messages, sent, events: found }),
      metricsOf: eventMetricsOf
    })
})

const frames = defineService({
  id: 'muon_frames',
  summary: 'Puts the events of muon digitisers together to frames: dev2 to aev2.',
  config: frameOptions,
  metrics: frameMetrics,
  open: (options, context) =>
    new MuonService({
      options,
      context,
      name: 'the frames of muons',
      entry: new URL('./thread/frames-main.js', import.meta.url),
      shows: ({ messages, sent, frames: n, incomplete, waiting, eventsIn, events: out }) => ({
        ...{ messages, sent, frames: n, frames_incomplete: incomplete, frames_waiting: waiting },
        ...{ events_in: eventsIn, events: out }
      }),
      metricsOf: frameMetricsOf
    })
})

export default definePlugin({
  name: 'service-muons',
  version: '0.1.0',
  api: API,
  summary: 'Finds events in traces of muon digitisers, and puts those of all digitisers together to frames (ISIS).',
  apply(registry) {
    registry.service(events)
    registry.service(frames)
  }
})
