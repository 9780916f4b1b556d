// Creating, widening and describing topics: `nexstream provision` and `nexstream topics`. What changes topics is kafkajs' part.
import { CodedError } from '../api/errors.js'
import { type ListedTopic, type ProvisionedTopic, type WantedTopic } from '../api/kafka.js'
import { NOT_CONTROLLER, UNKNOWN_TOPIC } from './broker-errors.js'
import { BrokerError, Cluster, expectOk } from './cluster.js'
import { KafkajsAdmin } from './kafkajs-admin.js'
import { type KafkaOptions, kafkaSettings } from './options.js'
import { type TopicMetadata, EARLIEST, LATEST, api, listOffsetsRequest, listOffsetsResponse } from './protocol.js'
import { Out } from './wire.js'

const REQUEST_MS = 30_000
const TOPIC_RESOURCE = 2
const SET = 0

async function withCluster<T>(options: KafkaOptions, use: (cluster: Cluster) => Promise<T>): Promise<T> {
  const cluster = new Cluster(kafkaSettings(options), () => undefined)
  try {
    return await use(cluster)
  } finally {
    await cluster.close()
  }
}

/**
 * Brings topics to what is wanted: creates, adds partitions, sets config. Doing it twice changes nothing the second time.
 * Rejects with TOPIC_SHRINK, before anything is changed, where partitions or replicas would have to be taken away or
 * replicas added (a reassignment, which is the cluster administrator's); KAFKA_UNREACHABLE, KAFKA_AUTH, COMMAND_FAILED.
 */
export async function provision(
  options: KafkaOptions,
  wanted: readonly WantedTopic[],
  { dryRun = false }: { dryRun?: boolean } = {}
): Promise<ProvisionedTopic[]> {
  return withCluster(options, async (cluster) => {
    const admin = new KafkajsAdmin(cluster.settings, cluster.log)
    try {
      const plans = await cluster.patiently('topics', () => plan(cluster, admin, wanted))
      if (!dryRun)
        for (const { topic, report, partitions, config } of plans)
          await cluster.patiently(`topic ${topic.name}`, async () => {
            if (report.action === 'created') return create(cluster, admin, topic, report)
            if (partitions) await widen(admin, topic.name, partitions)
            if (config.length > 0) await alter(cluster, topic.name, config)
          })
      return plans.map(({ report }) => report)
    } finally {
      await admin.close()
    }
  })
}

interface TopicChange {
  readonly topic: WantedTopic
  readonly report: ProvisionedTopic
  /** New number of partitions, when it changes. */
  readonly partitions: number | undefined
  readonly config: readonly (readonly [string, string])[]
}

async function plan(cluster: Cluster, admin: KafkajsAdmin, wanted: readonly WantedTopic[]): Promise<TopicChange[]> {
  const { topics } = await cluster.metadata(wanted.map(({ name }) => name))
  const existing = new Map(topics.filter(({ error }) => error === 0).map((topic) => [topic.name, topic]))
  for (const { name, error } of topics) if (error !== UNKNOWN_TOPIC) expectOk(error, `topic ${name}`)
  const configs = await describe(admin, [...existing.keys()])
  return wanted.map((topic) => {
    const found = existing.get(topic.name)
    const set = Object.entries(topic.config ?? {}).map(([key, value]) => [key, String(value)] as const)
    if (!found) {
      const changes = [`partitions ${topic.partitions ?? 1}`, `replication ${topic.replication ?? 'as by default'}`]
      changes.push(...set.map(([key, value]) => `${key} = ${value}`))
      return { topic, report: { name: topic.name, action: 'created', changes }, partitions: undefined, config: set }
    }
    const partitions = grown(topic, found)
    const current = configs.get(topic.name)
    const config = set.filter(([key, value]) => current?.get(key) !== value)
    const changes = config.map(([key, value]) => `${key} ${current?.get(key) ?? '(none)'} → ${value}`)
    if (partitions) changes.unshift(`partitions ${found.partitions.length} → ${partitions}`)
    const action = changes.length > 0 ? 'changed' : 'unchanged'
    return { topic, report: { name: topic.name, action, changes }, partitions, config }
  })
}

/** New number of partitions, or undefined when it stays. */
function grown(topic: WantedTopic, found: TopicMetadata): number | undefined {
  const refuse = (what: string, has: number, wants: number): never => {
    const advice = 'set it to what is there, or delete or reassign the topic by hand'
    throw new CodedError('TOPIC_SHRINK', `topic ${topic.name} has ${has} ${what}, not ${wants}; ${advice}`)
  }
  const replicas = found.partitions[0]?.replicas.length ?? 0
  if (topic.replication !== undefined && topic.replication !== replicas) refuse('replicas', replicas, topic.replication)
  const has = found.partitions.length
  if (topic.partitions === undefined || topic.partitions === has) return undefined
  if (topic.partitions < has) refuse('partitions', has, topic.partitions)
  return topic.partitions
}

async function create(
  cluster: Cluster,
  admin: KafkajsAdmin,
  topic: WantedTopic,
  { changes }: ProvisionedTopic
): Promise<void> {
  const wanted = {
    topic: topic.name,
    numPartitions: topic.partitions ?? 1,
    replicationFactor: topic.replication ?? -1,
    configEntries: Object.entries(topic.config ?? {}).map(([name, value]) => ({ name, value: String(value) }))
  }
  // kafkajs does not pass on the broker's own words, so all that was asked for is named. False where the topic is there: an
  // earlier attempt got through and its answer was lost.
  await admin.ask(`creating ${topic.name} (${changes.join(', ')})`, (kafkajs) =>
    kafkajs.createTopics({ topics: [wanted], timeout: REQUEST_MS, waitForLeaders: false })
  )
  for (;;) {
    const found = (await cluster.metadata([topic.name])).topics[0]
    if (found?.error === 0 && found.partitions.every(({ leader }) => leader >= 0)) return
    if (cluster.closing.aborted) throw new BrokerError(NOT_CONTROLLER, `creating ${topic.name}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function widen(admin: KafkajsAdmin, name: string, partitions: number): Promise<void> {
  await admin.ask(`widening ${name} to ${partitions} partitions`, (kafkajs) =>
    kafkajs.createPartitions({ topicPartitions: [{ topic: name, count: partitions }], timeout: REQUEST_MS })
  )
}

/** By our own request: kafkajs knows only the older AlterConfigs, which resets every setting that it does not name. */
async function alter(cluster: Cluster, name: string, config: readonly (readonly [string, string])[]): Promise<void> {
  const out = new Out().i32(1).i8(TOPIC_RESOURCE).string(name)
  out.array(config, ([key, value]) => out.string(key).i8(SET).string(value))
  await cluster.metadata([]) // Tells which broker is the controller now
  const results = await cluster.ask('controller', api.alterConfigs, out.bool(false).done(), (input) => {
    input.i32()
    return input.array(() => {
      const result = { error: input.i16(), message: input.nullableString() }
      input.i8()
      input.string()
      return result
    })
  })
  for (const { error, message } of results) expectOk(error, `config of ${name}`, message)
}

type Settings = ReadonlyMap<string, string | null>

/** Topic → key → value of all settings, defaults included. One topic at a time, so that an error can name it. */
async function describe(admin: KafkajsAdmin, names: readonly string[]): Promise<Map<string, Settings>> {
  const found = new Map<string, Settings>()
  for (const name of names) {
    const { resources } = await admin.ask(`config of ${name}`, (kafkajs) =>
      kafkajs.describeConfigs({ resources: [{ type: TOPIC_RESOURCE, name }], includeSynonyms: false })
    )
    const entries = resources.flatMap(({ configEntries }) => configEntries)
    found.set(name, new Map(entries.map(({ configName, configValue }) => [configName, configValue])))
  }
  return found
}

/** All topics but Kafka's own, with the first and next offset of each partition, sorted by name. */
export async function listTopics(options: KafkaOptions): Promise<ListedTopic[]> {
  return withCluster(options, (cluster) =>
    cluster.patiently('topics', async () => {
      const topics = (await cluster.metadata(null)).topics.filter((topic) => !topic.internal && topic.error === 0)
      const listed = await Promise.all(topics.map((topic) => watermarks(cluster, topic)))
      return listed.sort((a, b) => (a.name < b.name ? -1 : 1))
    })
  )
}

async function watermarks(cluster: Cluster, topic: TopicMetadata): Promise<ListedTopic> {
  const ask = async (leader: number, partitions: number[], time: number): Promise<Map<number, number>> => {
    const body = listOffsetsRequest(topic.name, partitions, time)
    const found = await cluster.ask(leader, api.listOffsets, body, listOffsetsResponse)
    for (const { error } of found) expectOk(error, `offsets of ${topic.name}`)
    return new Map(found.map(({ partition, offset }) => [partition, offset]))
  }
  const partitions: { partition: number; earliest: number; latest: number }[] = []
  for (const leader of new Set(topic.partitions.map((p) => p.leader))) {
    const mine = topic.partitions.filter((p) => p.leader === leader).map((p) => p.partition)
    const [earliest, latest] = await Promise.all([ask(leader, mine, EARLIEST), ask(leader, mine, LATEST)])
    for (const partition of mine)
      partitions.push({ partition, earliest: earliest.get(partition) ?? 0, latest: latest.get(partition) ?? 0 })
  }
  partitions.sort((a, b) => a.partition - b.partition)
  return { name: topic.name, replication: topic.partitions[0]?.replicas.length ?? 0, partitions }
}
