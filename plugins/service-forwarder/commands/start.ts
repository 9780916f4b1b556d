// `start` of the forwarder: adds streams, each from one EPICS (or simulated) channel to one or several Kafka topics.
import { type CommandOf, defineCommand, type JSONSchema, type Origin, type Reply } from '../../../core/api/plugin.js'
import { streamList } from '../stream-schema.js'

const schema = {
  type: 'object',
  required: ['streams'],
  properties: {
    streams: { ...streamList, minItems: 1, description: 'The streams to add.' }
  },
  additionalProperties: false
} as const satisfies JSONSchema

export type StartStreamsCommand = CommandOf<typeof schema>

/** What it needs of the service. */
export interface StartsStreams {
  startStreams(command: StartStreamsCommand, origin: Origin): Promise<Reply>
}

export const start = defineCommand({
  cmd: 'start',
  summary: 'Adds streams to the forwarder. Streams that cannot be added are listed in `errors`, the others are added.',
  schema,
  examples: [
    {
      cmd: 'start',
      service: 'forwarder',
      msg_id: '1',
      streams: [{ channel: 'SIM:TEMP', protocol: 'ca', converter: 'f142', topic: 'amor_sample_env' }]
    },
    {
      cmd: 'start',
      service: 'forwarder',
      streams: [
        {
          channel: 'SIM:MOTOR',
          protocol: 'pva',
          converters: [
            { schema: 'f144', topic: 'amor_motion' },
            { schema: 'f142', topic: 'amor_legacy', name: 'shared' }
          ],
          periodic_ms: 10_000,
          lossless: true
        }
      ]
    }
  ],
  run: (command, origin, forwarder: StartsStreams) => forwarder.startStreams(command, origin)
})
