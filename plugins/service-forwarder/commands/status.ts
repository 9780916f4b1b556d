// `status` of the forwarder: the state of its channels, page by page.
import { type CommandOf, defineCommand, type JSONSchema, type Origin, type Reply } from '../../../core/api/plugin.js'

const schema = {
  type: 'object',
  properties: {
    channels: { type: 'string', minLength: 1, description: 'Only channels that match; * and ? are wildcards.' },
    page: { type: 'integer', minimum: 0, description: 'Page to show, from 0.' },
    page_size: { type: 'integer', minimum: 1, maximum: 5000, description: 'Channels per page; default 500.' }
  },
  additionalProperties: false
} as const satisfies JSONSchema

export type ShowChannelsCommand = CommandOf<typeof schema>

/** What it needs of the service. */
export interface ShowsChannels {
  showChannels(command: ShowChannelsCommand, origin: Origin): Reply
}

export const status = defineCommand({
  cmd: 'status',
  summary: 'Lists the channels of the forwarder with state, last update, rates and counts.',
  schema,
  examples: [{ cmd: 'status', service: 'forwarder', channels: 'SIM:*', page: 0 }],
  run: (command, origin, forwarder: ShowsChannels) => forwarder.showChannels(command, origin)
})
