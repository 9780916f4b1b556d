// Options of the ADARA server: `[services.adara]`.
import { type JSONSchema, type Options } from '../../core/api/plugin.js'

const topic = { type: 'string', pattern: '^[a-zA-Z0-9._-]{1,249}$' } as const
const source = { type: 'string', minLength: 1 } as const

export const optionSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['instrument', 'geometry'],
  properties: {
    host: {
      type: 'string',
      minLength: 1,
      default: '127.0.0.1',
      description: 'Address to listen at; 0.0.0.0 for clients on other machines. Whoever reaches it may look.'
    },
    port: { type: 'integer', minimum: 0, maximum: 65_535, default: 31_415, description: 'TCP port; 0: any free one.' },
    instrument: {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      description: 'Long name of the beamline: what Mantid takes for the name of the instrument.'
    },
    beamline_id: { type: 'string', maxLength: 255, default: '01', description: 'Id of the beamline.' },
    short_name: { type: 'string', maxLength: 255, description: 'Short name of the beamline; default as instrument.' },
    target_station: {
      type: 'integer',
      minimum: 0,
      maximum: 255,
      default: 1,
      description: 'Number of the target station.'
    },
    geometry: {
      type: 'string',
      minLength: 1,
      description: 'File with the instrument definition of Mantid (IDF, XML), sent to each client.'
    },
    events: {
      type: 'array',
      default: [],
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['topic', 'source'],
        properties: {
          topic: { ...topic, description: 'Topic of ev42, ev43, ev44 or an44.' },
          source: { ...source, description: 'Source name in the messages.' },
          bank: {
            type: 'integer',
            minimum: 1,
            maximum: 4_294_967_293,
            description: 'Bank number; default its place in the list, from 1.'
          }
        }
      },
      description: 'Events of detectors, with the ids that the geometry has.'
    },
    monitors: {
      type: 'array',
      default: [],
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['topic', 'source'],
        properties: {
          topic: { ...topic, description: 'Topic of ev42, ev43, ev44 or an44.' },
          source: { ...source, description: 'Source name in the messages.' },
          monitor: {
            type: 'integer',
            minimum: 0,
            maximum: 1023,
            description:
              'Monitor number, detector -N of the geometry; Mantid takes 0 to 5. Default its place in the list, from 1.'
          }
        }
      },
      description: 'Events of beam monitors.'
    },
    pulses: {
      type: 'object',
      additionalProperties: false,
      required: ['topic', 'source'],
      properties: {
        topic: { ...topic, description: 'Topic of pu00.' },
        source: { ...source, description: 'Source name in the messages.' }
      },
      description: 'Where proton charge and vetoes of each pulse come from; default: none, or those in ev42 (is84).'
    },
    values: {
      type: 'array',
      default: [],
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['topic'],
        properties: {
          topic: { ...topic, description: 'Topic of f142, f144, al00, ep00 and ep01.' },
          sources: { type: 'array', items: source, description: 'Only these; default all of the topic.' }
        }
      },
      description: 'Values of the sample environment and the like: single numbers and texts.'
    },
    max_variables: {
      type: 'integer',
      minimum: 1,
      maximum: 1_000_000,
      default: 10_000,
      description: 'Sources whose values are sent; those of further ones are counted as too_many_variables.'
    },
    values_look_back_ms: {
      type: 'integer',
      minimum: 0,
      default: 3_600_000,
      description: 'Values from so long before the start are read, so that the last ones are known.'
    },
    runs: {
      type: 'object',
      additionalProperties: false,
      required: ['topic'],
      properties: { topic: { ...topic, description: 'Topic of pl72 and 6s4t.' } },
      description: 'Where run control says that runs begin and end; our commands start and stop can do so, too.'
    },
    beam_energy_ev: {
      type: 'integer',
      minimum: 0,
      maximum: 4_294_967_295,
      default: 0,
      description: 'Energy of the protons, eV.'
    },
    pulse_length_ns: { type: 'integer', minimum: 0, default: 0, description: 'Time from one pulse to the next, ns.' },
    gather_ms: {
      type: 'integer',
      minimum: 0,
      default: 250,
      description:
        'A pulse is sent so long after the first message of it came; what comes later goes in a packet of its own.'
    },
    max_waiting_pulses: {
      type: 'integer',
      minimum: 1,
      default: 1000,
      description: 'Pulses that wait for it; with more the oldest goes at once.'
    },
    max_clients: {
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      default: 16,
      description: 'Connections at the same time.'
    },
    client_buffer_bytes: {
      type: 'integer',
      minimum: 65_536,
      default: 134_217_728,
      description:
        'Bytes that may wait for one client, e.g. one that stops reading between two runs; with more it is cut off.'
    },
    hello_ms: {
      type: 'integer',
      minimum: 100,
      default: 30_000,
      description: 'A client that says no hello for so long is cut off.'
    },
    heartbeat_ms: { type: 'integer', minimum: 50, default: 1000, description: 'Time between heartbeats.' }
  }
} as const satisfies JSONSchema

export type AdaraOptions = Options<typeof optionSchema>
