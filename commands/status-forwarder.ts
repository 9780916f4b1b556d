// `status` of the forwarder: the state of its channels, page by page.
import { type JSONSchema } from '../core/api/plugin.js'

export const statusForwarder = {
  cmd: 'status',
  service: 'forwarder',
  summary: 'Lists the channels of the forwarder with state, last update, rates and counts.',
  schema: {
    type: 'object',
    properties: {
      channels: { type: 'string', minLength: 1, description: 'Only channels that match; * and ? are wildcards.' },
      page: { type: 'integer', minimum: 0, description: 'Page to show, from 0.' },
      page_size: { type: 'integer', minimum: 1, maximum: 5000, description: 'Channels per page; default 500.' }
    },
    additionalProperties: false
  } as const satisfies JSONSchema,
  examples: [{ cmd: 'status', service: 'forwarder', channels: 'SIM:*', page: 0 }]
}

export default statusForwarder
