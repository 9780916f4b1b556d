// The source part `amor`: one channel for the detector, one for the monitor.
import { type JSONSchema, type Options } from '../../core/api/plugin.js'
import { defineSource } from '../../schemas/index.js'
import { detectorPulse, monitorPulse } from './amor.js'
import { eventsOf, pacing, type PulseMaker, PulseSource } from './pulses.js'

const config = {
  type: 'object',
  required: ['channel'],
  properties: {
    channel: { type: 'string', enum: ['amor_detector', 'amor_monitor'], description: 'What to read out.' },
    seed: { type: 'integer', minimum: 0, default: 1, description: 'The same seed gives the same events.' },
    pulse_rate: { type: 'number', minimum: 0.001, maximum: 100_000, default: 14, description: 'Pulses per second.' },
    events_per_pulse: {
      type: 'integer',
      minimum: 0,
      maximum: 50_000_000,
      default: 1000,
      description: 'Detector events in each pulse.'
    },
    event_rate: {
      type: 'number',
      minimum: 0,
      description: 'Detector events per second, instead of events_per_pulse; spread over the pulses to the event.'
    },
    monitor_events_per_pulse: {
      type: 'integer',
      minimum: 0,
      maximum: 50_000_000,
      default: 100,
      description: 'Monitor events in each pulse.'
    },
    ...pacing
  },
  additionalProperties: false
} as const satisfies JSONSchema

type Config = Options<typeof config>

/** Events in pulse n when `rate` events per second are spread over the pulses: the sums are exact to the event. */
export function eventsInPulse(pulse: number, eventsPerPulse: number): number {
  return Math.floor((pulse + 1) * eventsPerPulse) - Math.floor(pulse * eventsPerPulse)
}

/** The events of pulse n of a channel. */
function makerOf(config: Config): PulseMaker {
  const { channel, seed, pulse_rate: rate, event_rate: eventRate } = config
  const isDetector = channel === 'amor_detector'
  const make = isDetector ? detectorPulse : monitorPulse
  const each = eventRate === undefined ? config.events_per_pulse : eventRate / rate
  const perPulse = isDetector ? each : config.monitor_events_per_pulse
  return (pulse, timestampNs) => {
    const { timeOfFlight, pixelId } = make(seed, pulse, eventsInPulse(pulse, perPulse))
    return { events: eventsOf(channel, BigInt(pulse), timestampNs, timeOfFlight, pixelId) }
  }
}

export const amor = defineSource({
  id: 'amor',
  summary: 'A virtual time-of-flight reflectometer: detector and monitor events, the same for the same seed.',
  config,
  open: (config, context, emit) => new PulseSource(config, makerOf(config), context.signal, emit)
})
