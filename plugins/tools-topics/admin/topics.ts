// Creating, widening and describing topics: `nexstream provision` and `nexstream topics`. What changes topics is kafkajs' part.
import { CodedError, type TopicInfo, type ToolTarget } from '../../../core/api/plugin.js'
import { KafkajsAdmin } from './kafkajs-admin.js'

const REQUEST_MS = 30_000
const TOPIC_RESOURCE = 2

/** Where the topics are. */
export type TopicPlace = Pick<ToolTarget, 'kafka' | 'allTopics' | 'settings' | 'alterTopic'>

/** A topic as it should be. */
export interface WantedTopic {
  readonly name: string
  readonly partitions?: number
  /** Default of the broker for a new topic. */
  readonly replication?: number
  /** Kafka's own topic settings, e.g. `{ 'retention.ms': '3600000' }`; others are left as they are. */
  readonly config?: Readonly<Record<string, string | number>>
}

/** What was done (or, in a dry run, would be done) to one topic. */
export interface ProvisionedTopic {
  readonly name: string
  readonly action: 'created' | 'changed' | 'unchanged'
  /** In words, e.g. `partitions 1 → 4`. */
  readonly changes: readonly string[]
}

export interface ListedTopic {
  readonly name: string
  readonly replication: number
  readonly partitions: readonly { readonly partition: number; readonly earliest: number; readonly latest: number }[]
}

/**
 * Brings topics to what is wanted: creates, adds partitions, sets config. Doing it twice changes nothing the second time.
 * Rejects with TOPIC_SHRINK, before anything is changed, where partitions or replicas would have to be taken away or
 * replicas added (a reassignment, which is the cluster administrator's); KAFKA_UNREACHABLE, KAFKA_AUTH, COMMAND_FAILED.
 */
export async function provision(
  place: TopicPlace,
  wanted: readonly WantedTopic[],
  { dryRun = false }: { dryRun?: boolean } = {}
): Promise<ProvisionedTopic[]> {
  const admin = new KafkajsAdmin(place.settings)
  try {
    const plans = await plan(place, admin, wanted)
    if (!dryRun)
      for (const change of plans) {
        const { topic, report, partitions, config } = change
        if (report.action === 'created') await create(admin, change)
        else {
          if (partitions) await widen(admin, topic.name, partitions)
          if (config.length > 0) await place.alterTopic(topic.name, config)
        }
      }
    return plans.map(({ report }) => report)
  } finally {
    await admin.close()
  }
}

interface TopicChange {
  readonly topic: WantedTopic
  readonly report: ProvisionedTopic
  /** New number of partitions, when it changes. */
  readonly partitions: number | undefined
  readonly config: readonly (readonly [string, string])[]
}

async function plan(
  { kafka }: TopicPlace,
  admin: KafkajsAdmin,
  wanted: readonly WantedTopic[]
): Promise<TopicChange[]> {
  // First by our own client, so that brokers that are away or refuse are told in the same words everywhere
  const topics = await kafka.topics(wanted.map(({ name }) => name))
  const existing = new Map(topics.filter(({ partitions }) => partitions.length > 0).map((topic) => [topic.name, topic]))
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
function grown(topic: WantedTopic, found: TopicInfo): number | undefined {
  const refuse = (what: string, has: number, wants: number): never => {
    const advice = 'set it to what is there, or delete or reassign the topic by hand'
    throw new CodedError('TOPIC_SHRINK', `topic ${topic.name} has ${has} ${what}, not ${wants}; ${advice}`)
  }
  const replicas = found.replication ?? 0
  if (topic.replication !== undefined && topic.replication !== replicas) refuse('replicas', replicas, topic.replication)
  const has = found.partitions.length
  if (topic.partitions === undefined || topic.partitions === has) return undefined
  if (topic.partitions < has) refuse('partitions', has, topic.partitions)
  return topic.partitions
}

async function create(admin: KafkajsAdmin, { topic, report, config }: TopicChange): Promise<void> {
  const wanted = {
    topic: topic.name,
    numPartitions: topic.partitions ?? 1,
    replicationFactor: topic.replication ?? -1,
    configEntries: config.map(([name, value]) => ({ name, value }))
  }
  // kafkajs does not pass on the broker's own words, so all that was asked for is named. False where the topic is there: an
  // earlier attempt got through and its answer was lost.
  await admin.ask(`creating ${topic.name} (${report.changes.join(', ')})`, (kafkajs) =>
    kafkajs.createTopics({ topics: [wanted], timeout: REQUEST_MS, waitForLeaders: false })
  )
  // Until each partition has a leader it is an error, which passes
  await admin.ask(`topic ${topic.name}`, (kafkajs) => kafkajs.fetchTopicMetadata({ topics: [topic.name] }))
}

async function widen(admin: KafkajsAdmin, name: string, partitions: number): Promise<void> {
  await admin.ask(`widening ${name} to ${partitions} partitions`, (kafkajs) =>
    kafkajs.createPartitions({ topicPartitions: [{ topic: name, count: partitions }], timeout: REQUEST_MS })
  )
}

type TopicSettings = ReadonlyMap<string, string | null>

/** Topic → key → value of all settings, defaults included. One topic at a time, so that an error can name it. */
async function describe(admin: KafkajsAdmin, names: readonly string[]): Promise<Map<string, TopicSettings>> {
  const found = new Map<string, TopicSettings>()
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
export async function listTopics({ kafka, allTopics }: TopicPlace): Promise<ListedTopic[]> {
  const topics = await allTopics()
  const listed = topics.map(async ({ name, partitions, replication = 0 }) => {
    const [earliest, latest] = await Promise.all([
      kafka.offsets(name, partitions, 'earliest'),
      kafka.offsets(name, partitions, 'latest')
    ])
    const ends = partitions.map((partition) => {
      return { partition, earliest: earliest.get(partition) ?? 0, latest: latest.get(partition) ?? 0 }
    })
    return { name, replication, partitions: ends }
  })
  return (await Promise.all(listed)).sort((a, b) => (a.name < b.name ? -1 : 1))
}
