// NXevent_data writers: ev42, ev43, ev44 and an44 events, straight from the message into the file.
import { API, definePlugin, type JSONSchema } from '../../core/api/plugin.js'
import { type EventRecord } from '../../schemas/index.js'
import { EventWriter, type EventModule } from './events.js'
import { defineWriter, type WriterPart } from '../service-filewriter/writer-kit.js'

const eventConfig = {
  type: 'object',
  properties: {
    cue_interval: {
      type: 'integer',
      minimum: 1,
      default: 100_000_000,
      description: 'A cue (event index, pulse index and time) after every so many events.'
    },
    chunk_size: {
      type: 'integer',
      minimum: 1024,
      default: 262_144,
      description: 'Events per chunk of event_id and event_time_offset.'
    },
    pixel_id: {
      type: 'integer',
      default: 0,
      description: 'event_id for messages that have none (monitors of one pixel).'
    },
    total_counts: {
      type: 'boolean',
      default: true,
      description: 'Write the number of events as total_counts at the end.'
    },
    adc_pulse_debug: {
      type: 'boolean',
      default: false,
      description: 'ev42: also write the pulse shape data of facility part dtdb.'
    },
    isis_data: {
      type: 'boolean',
      default: false,
      description: 'ev42: also write period number, run state and proton charge of facility part is84.'
    },
    flavour: {
      enum: ['usual', 'mantid'],
      default: 'usual',
      description:
        'mantid: event_id unsigned, event_weight float32, event_time_zero with the attribute `offset` in the place of `start`, and one pulse without events where none came. A file of flavour mantid sets it.'
    },
    nexus: { type: 'object', description: 'Tuning of the 2018 writer; accepted, without effect.' }
  },
  additionalProperties: false
} as const satisfies JSONSchema

const module = (id: string, accepts: readonly string[], kind: EventModule): WriterPart =>
  defineWriter<typeof eventConfig, EventRecord>({
    id,
    summary: `Events of ${accepts.join(', ')} messages as NXevent_data.`,
    accepts,
    config: eventConfig,
    nxClass: 'NXevent_data',
    keepsLast: false,
    madeAtClose: (config) => (config.total_counts ? ['total_counts'] : []),
    mantid: { config: (config) => ({ ...config, flavour: 'mantid' }) },
    open: (group, config, context) => new EventWriter(group, config, context, kind)
  })

export default definePlugin({
  name: 'writer-nxevent-data',
  version: '1.0.0',
  api: API,
  summary: 'Writes neutron events (ev42, ev43, ev44, an44) as NXevent_data.',
  apply(registry) {
    registry.writer(module('ev42', ['ev42'], { integer: 'uint32', weights: false }))
    registry.writer(module('ev43', ['ev43'], { integer: 'uint32', weights: false }))
    registry.writer(module('ev44', ['ev44'], { integer: 'int32', weights: false }))
    registry.writer(module('an44', ['an44'], { integer: 'int32', weights: true }))
    registry.writer(module('NXevent_data', ['ev44', 'ev42', 'ev43'], { integer: 'int32', weights: false }))
  }
})
