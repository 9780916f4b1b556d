// `config` of event formation: other files or raw copies while it runs.
import { type CommandOf, defineCommand, type JSONSchema, type Reply } from '../../../core/api/plugin.js'
import { detectorKeys } from '../options.js'

const { config: file, config_file: fileName, calibration, calibration_file: calibrationName } = detectorKeys

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    job_id: { type: 'string', minLength: 1, description: 'The detector; may be left out when just one runs.' },
    raw_only: { type: 'boolean', description: 'All packets go out raw, and none becomes events; false: events again.' },
    reload: { type: 'boolean', default: false, description: 'Its files are read again, for the next pulse.' },
    config: file,
    config_file: fileName,
    calibration,
    calibration_file: calibrationName
  }
} as const satisfies JSONSchema

export type ConfigureDetectorCommand = CommandOf<typeof schema>

/** What it needs of the service. */
export interface ConfiguresDetectors {
  configureDetector(command: ConfigureDetectorCommand): Promise<Reply>
}

export const config = defineCommand({
  cmd: 'config',
  summary: 'Gives a detector other files, from its next pulse on, or switches to raw copies and back.',
  schema,
  examples: [
    { cmd: 'config', service: 'event_formation', job_id: 'monitor', reload: true },
    { cmd: 'config', service: 'event_formation', job_id: 'loki', calibration_file: 'loki-2026-12.json' },
    { cmd: 'config', service: 'event_formation', job_id: 'loki', raw_only: true }
  ],
  run: (command, _origin, formation: ConfiguresDetectors) => formation.configureDetector(command)
})
