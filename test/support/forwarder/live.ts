// A forwarder on real parts: loaded plugins, a real Kafka, a real IOC; and what came out of it.
import { check } from '../../../core/check.js'
import { connectKafka } from '../../../core/kafka/client.js'
import { loadPlugins } from '../../../core/loader.js'
import { type Command, type Reply, type Service } from '../../../core/api/plugin.js'
import { schemaId, type ConverterPart, type SourcePart } from '../../../schemas/index.js'
import { carryOut } from '../carry-out.js'
import { type Ioc } from '../ioc.js'
import { PATIENCE_MS } from '../patience.js'
import { serviceContext, type TestContext } from '../service-context.js'

export interface Message {
  readonly id: string
  readonly key: string
  readonly value: Buffer
  readonly timestampMs: number
}

export interface Live {
  readonly service: Service
  readonly context: TestContext
  readonly run: (cmd: string, keys?: Record<string, unknown>) => Promise<Reply>
  /** A number of the status. */
  readonly figure: (name: string) => number
  close(): Promise<void>
}

/** Starts the service `forwarder` of the built-in plugins, with channels of these IOCs. */
export async function liveForwarder(
  brokers: readonly string[],
  iocs: readonly Ioc[],
  options: Record<string, unknown> = {},
  plugins: readonly string[] = []
): Promise<Live> {
  const epics = {
    ca: { addr_list: iocs.map(({ caAddress }) => caAddress), auto_addr_list: false, max_search_period_s: 1 },
    pva: { addr_list: iocs.map(({ pvaAddress }) => pvaAddress), auto_addr_list: false, max_search_period_s: 1 }
  }
  const more = plugins.map((use) => ({ use }))
  const loaded = await loadPlugins({ plugins: [{ use: 'source-epics', options: epics }, ...more], baseFolder: '.' })
  const { host } = loaded
  const kafka = connectKafka({ brokers: [...brokers] })
  const parts = {
    sources: host.ids('source').map((id) => host.part('source', id) as SourcePart),
    converters: host.ids('converter').map((id) => host.part('converter', id) as ConverterPart)
  }
  const context = serviceContext(kafka, parts)
  const part = host.part('service', 'forwarder')!
  const config: Record<string, unknown> = { ...structuredClone(options) }
  const wrong = check(part.config, config)
  if (wrong.length > 0) throw new Error(JSON.stringify(wrong))
  const service = part.open(config, context)
  await service.start()
  return {
    service,
    context,
    run: (cmd, keys = {}) => {
      const command: Command = { cmd, service: 'forwarder', ...keys }
      return carryOut(part.commands ?? [], service, command, {
        dialect: 'json',
        topic: '',
        timestampMs: 0,
        replyTopic: ''
      })
    },
    figure: (name) => service.snapshot()[name] as number,
    close: async () => {
      await service.stop('end of test')
      context.abort()
      await loaded.close()
      await kafka.close()
    }
  }
}

/** Reads a topic from its start until `enough` says so, and gives all messages in their order (one partition). */
export async function readUntil(
  brokers: readonly string[],
  topic: string,
  enough: (messages: readonly Message[]) => boolean,
  timeoutMs = PATIENCE_MS
): Promise<Message[]> {
  const kafka = connectKafka({ brokers: [...brokers] })
  const reader = kafka.reader({ assign: [{ topic, partition: 0, offset: 0 }], maxWaitMs: 100 })
  const messages: Message[] = []
  const deadline = Date.now() + timeoutMs
  try {
    while (!enough(messages)) {
      if (Date.now() > deadline) throw new Error(`only ${messages.length} messages on ${topic} after ${timeoutMs} ms`)
      const batch = await reader.poll(200)
      if (batch === null) throw new Error('reader is closed')
      if (batch === undefined) continue
      for (let i = 0; i < batch.count; i++) {
        const value = Buffer.from(batch.value(i) ?? [])
        messages.push({
          id: schemaId(value) ?? '',
          key: String(batch.key(i)),
          value,
          timestampMs: batch.timestampMs(i)
        })
      }
      batch.release()
    }
    return messages
  } finally {
    await reader.close()
    await kafka.close()
  }
}

/** Everything on a topic once the service has nothing under way. */
export async function settled(brokers: readonly string[], topic: string, live: Live): Promise<Message[]> {
  await until(() => live.figure('messages') === live.figure('acknowledged') + live.figure('lost'))
  const kafka = connectKafka({ brokers: [...brokers] })
  const end = (await kafka.offsets(topic, [0], 'latest')).get(0)!
  await kafka.close()
  return readUntil(brokers, topic, (messages) => messages.length >= end)
}

/** Awaits a condition that no event tells. */
export async function until(done: () => boolean | Promise<boolean>, timeoutMs = PATIENCE_MS): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await done())) {
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${done.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
