// Plugin source-epics: the source parts `ca` (Channel Access) and `pva` (pvAccess), read-only.
import { API, definePlugin, defineSource, type Context, type LogLevel } from '../../core/plugin.js'
import { CaSubscription } from './ca-source.js'
import { CaClient } from './ca/client.js'
import { caOptions, optionsSchema, type EpicsOptions } from './options.js'

const channelSchema = {
  type: 'object',
  properties: {
    channel: { type: 'string', minLength: 1, maxLength: 1024, description: 'Name of the PV.' },
    long_string: {
      type: 'boolean',
      description: 'CHAR arrays are text, and string fields come whole (as REC.VAL$) instead of their first 39 bytes.',
      default: false
    }
  },
  required: ['channel'],
  additionalProperties: false
} as const

/** The clients are shared by all channels, made for the first one, and closed with the plugin. */
class Clients {
  readonly #options: EpicsOptions
  #log: Context['log'] | undefined
  #ca: CaClient | undefined

  constructor(options: EpicsOptions) {
    this.#options = options
    // Refuses broken address lists at the start of the daemon.
    caOptions(options, {}, () => undefined)
  }

  ca(context: Context): CaClient {
    this.#log ??= context.log.bind(context)
    const warn = this.#warner('warn')
    this.#ca ??= new CaClient(caOptions(this.#options, process.env, warn), warn)
    return this.#ca
  }

  async close(): Promise<void> {
    await this.#ca?.close()
    this.#ca = undefined
  }

  #warner(level: LogLevel) {
    return (message: string, fields: Record<string, unknown> = {}): void => this.#log?.(level, message, fields)
  }
}

let clients: Clients | undefined

export default definePlugin({
  name: 'source-epics',
  version: '1.0.0',
  api: API,
  summary: 'Monitors EPICS PVs over Channel Access and pvAccess; it cannot write to any.',
  options: optionsSchema,
  apply(registry, options) {
    const own = (clients = new Clients(options))
    registry.source(
      defineSource({
        id: 'ca',
        summary: 'A PV over EPICS Channel Access.',
        config: channelSchema,
        open: (config, context, emit) =>
          new CaSubscription(own.ca(context), config.channel, config.long_string ?? false, emit)
      })
    )
  },
  async close() {
    await clients?.close()
    clients = undefined
  }
})
