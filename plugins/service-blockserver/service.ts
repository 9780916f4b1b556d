// Watches the list of blocks of an IBEX instrument and tells the forwarder what to add and remove.
import {
  BadMessage,
  CodedError,
  type Context,
  defineService,
  type JSONSchema,
  type Options,
  type Producer,
  type Service,
  type ServiceContext,
  type Snapshot,
  type Subscription,
  topicMissing
} from '../../core/api/plugin.js'
import { decodeBlocks, textOf } from './blocks.js'
import { type BlockStream, type Change, encodeChange } from './commands.js'
import { Connection, type Update, sourceOf } from '../../schemas/index.js'

const topic = { type: 'string', pattern: '^[A-Za-z0-9._-]{1,249}$' } as const

const config = {
  type: 'object',
  required: ['prefix', 'data_topic'],
  properties: {
    prefix: { type: 'string', minLength: 1, description: 'Prefix of the instrument, e.g. IN:LARMOR:' },
    data_topic: { ...topic, description: 'Topic of the values of blocks, e.g. LARMOR_sampleEnv.' },
    run_log_topic: { ...topic, description: 'Topic of the run log values; without it they are not forwarded.' },
    config_topic: {
      ...topic,
      default: 'forwarder_config',
      description: 'Topic the forwarder takes its commands from.'
    },
    dialect: {
      type: 'string',
      enum: ['json', 'fc00', 'rf5k'],
      default: 'fc00',
      description: 'Form of the commands: fc00 for current forwarders, rf5k for old ones, json for nexstream.'
    },
    whole: {
      type: 'boolean',
      default: false,
      description:
        'Send the whole list with every change (REPLACE, config) instead of what changed: also right after a restart of this bridge, but the forwarder then has no other streams. Not in rf5k.'
    },
    schema: { type: 'string', minLength: 1, default: 'f144', description: 'Schema id of the values.' },
    source: { type: 'string', minLength: 1, default: 'ca', description: 'Source part that reads the list of blocks.' },
    run_log_channels: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      default: [
        ...['COUNTRATE', 'BEAMCURRENT', 'GOODFRAMES', 'RAWFRAMES', 'GOODUAH', 'MEVENTS', 'TOTALCOUNTS'],
        ...['MONITORCOUNTS', 'NPRATIO', 'PERIOD', 'TOTALUAMPS']
      ],
      description: 'Run log values, below PREFIX + DAE:'
    }
  },
  additionalProperties: false
} as const satisfies JSONSchema

type Config = Options<typeof config>

export class BlockServer implements Service {
  readonly #producer: Producer
  readonly #counts = { changes: 0, broken: 0, commands: 0, lost: 0 }
  #subscription: Subscription | undefined
  /** What the forwarder was told to forward; undefined before the first good list. */
  #blocks: ReadonlySet<string> | undefined
  #connected = false
  #lastError = ''

  constructor(
    readonly config: Config,
    readonly context: ServiceContext
  ) {
    this.#producer = context.kafka.producer({ lingerMs: 0 })
  }

  get #channel(): string {
    return `${this.config.prefix}CS:BLOCKSERVER:BLOCKNAMES`
  }

  async start(): Promise<void> {
    const { config, context } = this
    const source = sourceOf(context, config.source)
    if (source === undefined) throw new CodedError('SOURCE_UNKNOWN', `no source '${config.source}' is loaded`)
    const [info] = await context.kafka.topics([config.config_topic])
    if (info === undefined || info.partitions.length === 0) throw topicMissing(`topic ${config.config_topic}`)
    if (config.whole && config.dialect === 'rf5k')
      throw new CodedError('CONFIG_INVALID', 'rf5k cannot replace a list; use fc00 or json', { path: '/whole' })
    if (!config.whole) this.#say('add', this.#runLog())
    const options = { channel: this.#channel }
    context.check(source.config, options) // Fills in defaults
    const own: Context = {
      jobId: context.serviceId,
      signal: context.signal,
      log: (level, message, fields) => context.log(level, message, fields),
      count: () => undefined
    }
    this.#subscription = source.open(options, own, (update) => this.#take(update))
  }

  async stop(): Promise<void> {
    await this.#subscription?.close()
    await this.#producer.flush().catch((error: Error) => this.context.log('error', error.message)) // Counted in `lost`
    await this.#producer.close()
  }

  snapshot(): Snapshot {
    return {
      state: this.#connected ? 'watching' : 'disconnected',
      channel: this.#channel,
      blocks: this.#blocks?.size ?? 0,
      ...this.#counts,
      ...(this.#lastError === '' ? {} : { last_error: this.#lastError })
    }
  }

  #take(update: Update): void {
    if (update.kind === 'connection') {
      this.#connected = update.connection === Connection.CONNECTED
      return
    }
    try {
      this.#change(new Set(decodeBlocks(textOf(update))))
      this.#lastError = ''
    } catch (error) {
      if (!(error instanceof BadMessage)) return this.context.fault('source', this.config.source, 'update', error)
      this.#counts.broken++
      if (this.#lastError !== error.message)
        this.context.log('warn', `${this.#channel}: ${error.message}; nothing was changed`, { code: error.code })
      this.#lastError = error.message
    }
  }

  /** Tells only what is different, so that unchanged blocks go on without a gap. */
  #change(blocks: ReadonlySet<string>): void {
    const before = this.#blocks ?? new Set<string>()
    const gone = [...before].filter((block) => !blocks.has(block))
    const added = [...blocks].filter((block) => !before.has(block))
    const isFirst = this.#blocks === undefined
    this.#blocks = blocks
    const { whole } = this.config
    // The first list in whole is told even when it is empty: something may be left from before
    if (gone.length === 0 && added.length === 0 && !(whole && isFirst)) return
    this.#counts.changes++
    if (whole) this.#say('replace', [...this.#runLog(), ...[...blocks].map(this.#stream)])
    else {
      this.#say('remove', gone.map(this.#stream))
      this.#say('add', added.map(this.#stream))
    }
    this.context.log('info', `blocks: ${added.length} added, ${gone.length} removed, ${blocks.size} in all`)
  }

  #say(change: Change, streams: readonly BlockStream[]): void {
    if (streams.length === 0 && change !== 'replace') return
    this.#counts.commands++
    const { config_topic: topic, dialect } = this.config
    this.#producer.send({ topic, partition: 0, value: encodeChange(dialect, change, streams) }, (error) => {
      if (error === null) return
      this.#counts.lost++
      this.context.log('error', `a command to the forwarder was lost: ${error.message}`, { code: 'KAFKA_LOST' })
    })
  }

  readonly #stream = (block: string): BlockStream => ({
    channel: `${this.config.prefix}CS:SB:${block}`,
    schema: this.config.schema,
    topic: this.config.data_topic
  })

  #runLog(): BlockStream[] {
    const { prefix, schema, run_log_channels: channels, run_log_topic: topic } = this.config
    if (topic === undefined) return []
    return channels.map((name) => ({ channel: `${prefix}DAE:${name}`, schema, topic }))
  }
}

export const blockserver = defineService({
  id: 'blockserver',
  summary: 'Keeps the forwarder in line with the blocks of an IBEX instrument.',
  config,
  open: (config, context) => new BlockServer(config, context)
})
