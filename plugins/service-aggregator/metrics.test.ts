import assert from 'node:assert/strict'
import { FrameDiagnostics } from './diagnostics.js'
import { isisMetricsOf, metrics } from './metrics.js'

describe('metrics of the aggregator', () => {
  it('by the names of ISIS: each label from the start', () => {
    const progress = { messages: 9, frames: 2, eventsIn: 30, eventsOut: 20, waiting: 1, sent: 4, losses: {}, missing: [], diagnostics: new FrameDiagnostics(0).look(0), read: { ev44: 3, pu00: 2 }, made: { ev44: 4, pu00: 2 }, dropped: { no_payload: 0, failed_deserialize: 1, unknown_schema: 0 }, eventsDropped: 10, framesDropped: 1, kafkaErrors: 0 } // prettier-ignore
    const said = isisMetricsOf(progress)
    const shown = said.map(({ name, value, labels = {} }) => [name.replace('aggregator_', ''), ...Object.values(labels), value].join(' ')) // prettier-ignore
    assert.deepEqual(shown, [
      'incoming_messages_processed ev44 3',
      'incoming_messages_processed pu00 2',
      'incoming_messages_dropped no_payload 0',
      'incoming_messages_dropped failed_deserialize 1',
      'incoming_messages_dropped unknown_schema 0',
      'incoming_neutron_events 30',
      'outgoing_frames 2',
      'outgoing_messages ev44 4',
      'outgoing_messages pu00 2',
      'outgoing_neutron_events 20',
      'outgoing_dropped_frames no_metadata 1',
      'outgoing_dropped_neutron_events 10',
      'outgoing_kafka_errors 0',
      'queue_frames 1'
    ])
    assert.deepEqual(said.filter(({ name }) => !Object.hasOwn(metrics, name)), []) // prettier-ignore
  })
})
