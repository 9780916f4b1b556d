// Plugin source-epics: the source parts `ca` (Channel Access) and `pva` (pvAccess), read-only.
import { API, definePlugin, type Context, type Snapshot } from '../../core/api/plugin.js'
import { defineSource } from '../../schemas/index.js'
import { CaSubscription } from './ca/source.js'
import { CaClient } from './ca/client.js'
import { metrics, snapshotOf } from './shared/figures.js'
import { caOptions, optionsSchema, pvaOptions, type EpicsOptions } from './options.js'
import { PvaSubscription } from './pva/source.js'
import { PvaClient } from './pva/client.js'
import { type Warn } from './shared/warner.js'

const channel = { type: 'string', minLength: 1, maxLength: 1024, description: 'Name of the PV.' } as const
const caSchema = {
  type: 'object',
  properties: {
    channel,
    long_string: {
      type: 'boolean',
      description: 'CHAR arrays are text, and string fields come whole (as REC.VAL$) instead of their first 39 bytes.'
    },
    array: {
      type: 'boolean',
      description:
        'An array even when it has room for one element only, which Channel Access cannot tell from a scalar.'
    }
  },
  required: ['channel'],
  additionalProperties: false
} as const
const pvaSchema = {
  type: 'object',
  properties: {
    channel,
    long_string: { type: 'boolean', description: 'Arrays of int8 and uint8 are text.' },
    fields: {
      type: 'array',
      items: { type: 'string', minLength: 1, maxLength: 256 },
      description: 'Only these fields of the structure (dotted names); default all.'
    },
    queue_size: {
      type: 'integer',
      minimum: 2,
      maximum: 1000,
      description: 'Flow control: the server keeps back after so many updates (images); default none.'
    }
  },
  required: ['channel'],
  additionalProperties: false
} as const

/** The clients are shared by all channels, made for the first one, and closed with the plugin. */
class Clients {
  readonly #options: EpicsOptions
  readonly #warn: Warn
  #log: Context['log'] | undefined
  #ca: CaClient | undefined
  #pva: PvaClient | undefined

  constructor(options: EpicsOptions) {
    this.#options = options
    this.#warn = (message, fields = {}) => this.#log?.('warn', message, fields)
    // Refuses broken address lists at the start of the daemon.
    caOptions(options, {}, this.#warn)
    pvaOptions(options, {}, this.#warn)
  }

  ca(context: Context): CaClient {
    this.#log ??= context.log.bind(context)
    this.#ca ??= new CaClient(caOptions(this.#options, process.env, this.#warn), this.#warn)
    return this.#ca
  }

  pva(context: Context): PvaClient {
    this.#log ??= context.log.bind(context)
    this.#pva ??= new PvaClient(pvaOptions(this.#options, process.env, this.#warn), this.#warn)
    return this.#pva
  }

  /** Snapshots of the clients that there are. */
  snapshots(): Record<string, Snapshot> {
    return {
      ...(this.#ca === undefined ? {} : { ca: snapshotOf('ca', this.#ca.metrics) }),
      ...(this.#pva === undefined ? {} : { pva: snapshotOf('pva', this.#pva.metrics) })
    }
  }

  async close(): Promise<void> {
    await this.#ca?.close()
    await this.#pva?.close()
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
    registry.hooks.snapshot.tap('source-epics', (snapshot) => ({
      ...snapshot,
      sources: { ...snapshot.sources, ...own.snapshots() }
    }))
    registry.source(
      defineSource({
        id: 'ca',
        summary: 'A PV over EPICS Channel Access.',
        metrics,
        config: caSchema,
        open: ({ channel: name, long_string: longString = false, array: isArray = false }, context, emit) =>
          new CaSubscription(own.ca(context), { name, longString, isArray }, emit)
      })
    )
    registry.source(
      defineSource({
        id: 'pva',
        summary: 'A PV over EPICS pvAccess.',
        metrics,
        config: pvaSchema,
        open: ({ channel: name, long_string: isText = false, fields = [], queue_size: queueSize = 0 }, context, emit) =>
          new PvaSubscription(own.pva(context), { name, isText, fields, queueSize }, emit)
      })
    )
  },
  async close() {
    await clients?.close()
    clients = undefined
  }
})
