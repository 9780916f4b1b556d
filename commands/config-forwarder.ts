// `config` of the forwarder: the given streams become the whole list; unchanged ones go on without a gap.
import { type JSONSchema } from '../core/api/plugin.js'
import { streamList } from '../schemas/forwarder-stream.js'

export const configForwarder = {
  cmd: 'config',
  service: 'forwarder',
  summary:
    'Replaces the list of streams: new ones are added, missing ones removed, unchanged ones go on without a gap.',
  schema: {
    type: 'object',
    required: ['streams'],
    properties: {
      streams: { ...streamList, description: 'All streams from now on; an empty list stops all.' }
    },
    additionalProperties: false
  } as const satisfies JSONSchema,
  examples: [
    {
      cmd: 'config',
      service: 'forwarder',
      streams: [{ channel: 'SIM:TEMP', protocol: 'ca', converter: 'f144', topic: 'amor_sample_env' }]
    }
  ]
}

export default configForwarder
