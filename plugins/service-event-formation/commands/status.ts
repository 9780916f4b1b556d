// `status` of event formation.
import { type CommandOf, defineCommand, type JSONSchema, type Reply } from '../../../core/api/plugin.js'

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    job_id: { type: 'string', minLength: 1, description: 'Running or ended detector; all that run when left out.' }
  }
} as const satisfies JSONSchema

export type ShowDetectorsCommand = CommandOf<typeof schema>

/** What it needs of the service. */
export interface ShowsDetectors {
  showDetectors(command: ShowDetectorsCommand): Reply
}

export const status = defineCommand({
  cmd: 'status',
  summary: 'Lists detectors: packets, events, losses by reason; of one also its counters.',
  schema,
  examples: [{ cmd: 'status', service: 'event_formation', job_id: 'monitor' }],
  run: (command, _origin, formation: ShowsDetectors) => formation.showDetectors(command)
})
