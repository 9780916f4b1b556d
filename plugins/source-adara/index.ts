// Plugin source-adara: events and values of the live streams of SNS (ADARA), for the forwarder.
import { API, definePlugin, type JSONSchema, type Options } from '../../core/api/plugin.js'
import { defineSource } from '../../schemas/index.js'
import { AdaraStream } from './stream.js'

const config = {
  type: 'object',
  additionalProperties: false,
  required: ['channel', 'address'],
  properties: {
    channel: {
      type: 'string',
      minLength: 1,
      maxLength: 1024,
      description:
        '`events` (all detectors), `bank:N`, `monitor:N`, `proton_charge` (pC), `run_number` (0: none), or the name of a variable.'
    },
    address: {
      type: 'string',
      pattern: '^[^\\s/:]+(:\\d{1,5})?$',
      description: 'HOST:PORT of the stream; default port 31415.'
    }
  }
} as const satisfies JSONSchema

const DEFAULT_PORT = 31_415
/** One for each address, as long as a channel wants it. */
const streams = new Map<string, AdaraStream>()

function streamAt(address: string, open: (host: string, port: number, over: () => void) => AdaraStream): AdaraStream {
  const known = streams.get(address)
  if (known !== undefined) return known
  const [host = '', port] = address.split(':')
  const stream = open(host, port === undefined ? DEFAULT_PORT : Number(port), () => streams.delete(address))
  streams.set(address, stream)
  return stream
}

export default definePlugin({
  name: 'source-adara',
  version: '0.1.0',
  api: API,
  summary: 'Reads events, monitors and values of the live streams of SNS (ADARA); it changes nothing there.',
  apply(registry) {
    registry.source(
      defineSource({
        id: 'adara',
        summary: 'Events or a variable of an SNS stream (ADARA).',
        config,
        open({ channel, address }: Options<typeof config>, context, emit) {
          const log: typeof context.log = (level, message, fields) => context.log(level, message, fields)
          return streamAt(address, (host, port, over) => new AdaraStream(host, port, log, over)).open(channel, emit)
        }
      })
    )
  },
  close() {
    for (const stream of [...streams.values()]) stream.close()
  }
})
