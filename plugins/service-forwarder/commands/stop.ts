// `stop` of the forwarder: removes streams by pattern, or all.
import { type CommandOf, defineCommand, type JSONSchema, type Origin, type Reply } from '../../../core/api/plugin.js'

const pattern = (what: string) =>
  ({ type: 'string', minLength: 1, description: `${what}; * and ? are wildcards.` }) as const

const schema = {
  type: 'object',
  properties: {
    all: { const: true, description: 'Remove every stream.' },
    channels: {
      type: 'array',
      minItems: 1,
      items: pattern('Channel name'),
      description: 'Remove all streams of these channels.'
    },
    streams: {
      type: 'array',
      minItems: 1,
      description:
        'Remove the streams that fit all keys of one of these; one without keys is refused, the others are done.',
      items: {
        type: 'object',
        properties: {
          channel: pattern('Channel name'),
          topic: pattern('Topic'),
          schema: { type: 'string', minLength: 1, description: 'Schema id, exactly.' },
          protocol: { type: 'string', minLength: 1, description: 'Protocol, exactly.' }
        },
        additionalProperties: false
      }
    }
  },
  anyOf: [{ required: ['all'] }, { required: ['channels'] }, { required: ['streams'] }],
  additionalProperties: false
} as const satisfies JSONSchema

export type StopStreamsCommand = CommandOf<typeof schema>

/** What it needs of the service. */
export interface StopsStreams {
  stopStreams(command: StopStreamsCommand, origin: Origin): Promise<Reply>
}

export const stop = defineCommand({
  cmd: 'stop',
  summary: 'Removes streams: those that match a pattern, or all. What matches nothing is listed in `errors`.',
  schema,
  examples: [
    { cmd: 'stop', service: 'forwarder', channels: ['SIM:*'] },
    { cmd: 'stop', service: 'forwarder', streams: [{ channel: 'SIM:TEMP', schema: 'f142', topic: 'amor_*' }] },
    { cmd: 'stop', service: 'forwarder', all: true }
  ],
  run: (command, origin, forwarder: StopsStreams) => forwarder.stopStreams(command, origin)
})
