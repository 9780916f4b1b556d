// `start` of the simulator: a virtual instrument sends events to Kafka.
import { type CommandOf, defineCommand, type JSONSchema, type Origin, type Reply } from '../../../core/api/plugin.js'

const topic = { type: 'string', pattern: '^[A-Za-z0-9._-]{1,249}$' } as const

const schema = {
  type: 'object',
  required: ['topic'],
  properties: {
    job_id: { type: 'string', minLength: 1, maxLength: 200, description: 'Name of the run; made up when missing.' },
    instrument: { type: 'string', description: 'Source part that makes the events; default amor.' },
    topic: { ...topic, description: 'Topic of the detector events.' },
    monitor_topic: { ...topic, description: 'Topic of the monitor events; default the same.' },
    schema: {
      description: 'Schema id of the messages, or several: each pulse is then sent once in each.',
      anyOf: [
        { type: 'string', minLength: 1 },
        { type: 'array', minItems: 1, items: { type: 'string', minLength: 1 } }
      ]
    },
    options: {
      type: 'object',
      description:
        'Options of the instrument: seed, pulse_rate, events_per_pulse or event_rate, monitor_events_per_pulse, pulses, start_time, paced, …'
    }
  },
  additionalProperties: false
} as const satisfies JSONSchema

export type StartRunCommand = CommandOf<typeof schema>

/** What it needs of the service. */
export interface StartsRuns {
  startRun(command: StartRunCommand, origin: Origin): Promise<Reply>
}

export const start = defineCommand({
  cmd: 'start',
  summary: 'Starts a virtual instrument that sends detector and monitor events to Kafka, the same for the same seed.',
  schema,
  examples: [
    { cmd: 'start', service: 'simulator', job_id: 'sim1', topic: 'amor_events', schema: 'ev44' },
    {
      cmd: 'start',
      service: 'simulator',
      topic: 'amor_events',
      monitor_topic: 'amor_monitors',
      schema: ['ev42', 'ev44'],
      options: {
        seed: 7,
        pulse_rate: 14,
        events_per_pulse: 5000,
        pulses: 1400,
        start_time: '2026-01-01T00:00:00Z',
        paced: false
      }
    }
  ],
  run: (command, origin, simulator: StartsRuns) => simulator.startRun(command, origin)
})
