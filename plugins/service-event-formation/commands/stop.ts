// `stop` of event formation.
import { type CommandOf, defineCommand, type JSONSchema, type Reply } from '../../../core/api/plugin.js'

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    job_id: { type: 'string', minLength: 1, description: 'The detector; may be left out when just one runs.' },
    all: { const: true, description: 'Every detector.' }
  }
} as const satisfies JSONSchema

export type StopDetectorCommand = CommandOf<typeof schema>

/** What it needs of the service. */
export interface StopsDetectors {
  stopDetectors(command: StopDetectorCommand): Promise<Reply>
}

export const stop = defineCommand({
  cmd: 'stop',
  summary:
    'Ends a detector: what has come is formed and sent, then comes `event_formation_done` with the counts. Of one that has failed: the daemon is ready again.',
  schema,
  examples: [{ cmd: 'stop', service: 'event_formation', job_id: 'monitor' }],
  run: (command, _origin, formation: StopsDetectors) => formation.stopDetectors(command)
})
