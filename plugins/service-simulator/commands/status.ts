// `status` of the simulator: runs with their counts.
import { type CommandOf, defineCommand, type JSONSchema, type Reply } from '../../../core/api/plugin.js'

const schema = {
  type: 'object',
  properties: {},
  additionalProperties: false
} as const satisfies JSONSchema

export type ShowRunsCommand = CommandOf<typeof schema>

/** What it needs of the service. */
export interface ShowsRuns {
  showRuns(): Reply
}

export const status = defineCommand({
  cmd: 'status',
  summary: 'Lists the runs of the virtual instrument with pulses, events and messages so far.',
  schema,
  examples: [{ cmd: 'status', service: 'simulator' }],
  run: (_command, _origin, simulator: ShowsRuns) => simulator.showRuns()
})
