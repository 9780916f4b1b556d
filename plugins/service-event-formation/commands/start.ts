// `start` of event formation.
import { type CommandOf, defineCommand, type JSONSchema, type Origin, type Reply } from '../../../core/api/plugin.js'
import { detectorKeys, detectorRequired } from '../options.js'

const schema = {
  type: 'object',
  additionalProperties: false,
  required: detectorRequired,
  properties: {
    job_id: { type: 'string', minLength: 1, description: 'Name of the detector; default the family.' },
    ...detectorKeys
  }
} as const satisfies JSONSchema

export type StartDetectorCommand = CommandOf<typeof schema>

/** What it needs of the service. */
export interface StartsDetectors {
  startDetector(command: StartDetectorCommand, origin: Origin): Promise<Reply>
}

export const start = defineCommand({
  cmd: 'start',
  summary: 'Receives the packets of a detector, and sends its events.',
  schema,
  examples: [
    {
      cmd: 'start',
      service: 'event_formation',
      job_id: 'monitor',
      family: 'cbm',
      topic: 'amor_monitors',
      host: '127.0.0.1',
      port: 9001,
      config: {
        Detector: 'CBM',
        MaxFENId: 0,
        Topology: [{ FEN: 0, Channel: 0, Type: 'EVENT_0D', Source: 'monitor1', Schema: 'ev44', PixelOffset: 1 }]
      }
    },
    {
      cmd: 'start',
      service: 'event_formation',
      family: 'loki',
      topic: 'loki_detector',
      config_file: 'loki.json',
      calibration_file: 'loki-2026-11.json'
    }
  ],
  run: (command, origin, formation: StartsDetectors) => formation.startDetector(command, origin)
})
