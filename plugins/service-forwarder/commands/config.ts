// `config` of the forwarder: the given streams become the whole list; unchanged ones go on without a gap.
import { type CommandOf, defineCommand, type JSONSchema, type Origin, type Reply } from '../../../core/api/plugin.js'
import { streamList } from '../stream-schema.js'

const schema = {
  type: 'object',
  required: ['streams'],
  properties: {
    streams: { ...streamList, description: 'All streams from now on; an empty list stops all.' }
  },
  additionalProperties: false
} as const satisfies JSONSchema

export type ConfigureStreamsCommand = CommandOf<typeof schema>

/** What it needs of the service. */
export interface ConfiguresStreams {
  replaceStreams(command: ConfigureStreamsCommand, origin: Origin): Promise<Reply>
}

export const config = defineCommand({
  cmd: 'config',
  summary:
    'Replaces the list of streams: new ones are added, missing ones removed, unchanged ones go on without a gap.',
  schema,
  examples: [
    {
      cmd: 'config',
      service: 'forwarder',
      streams: [{ channel: 'SIM:TEMP', protocol: 'ca', converter: 'f144', topic: 'amor_sample_env' }]
    }
  ],
  run: (command, origin, forwarder: ConfiguresStreams) => forwarder.replaceStreams(command, origin)
})
