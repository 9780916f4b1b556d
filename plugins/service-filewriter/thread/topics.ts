// Which topics of a plan exist, and what their streams want done about those that do not.
import { below } from '../structure/findings.js'
import { someOf } from '../structure/report.js'
import { type MissingTopic, type StructurePlan, type PlanStream } from '../structure/plan.js'
import { type Finding, type Kafka, missingText } from '../../../core/api/plugin.js'

export interface TopicPlan {
  /** With their partitions. */
  readonly present: ReadonlyMap<string, readonly number[]>
  readonly waiting: ReadonlySet<string>
  readonly skipped: ReadonlySet<string>
  /** They held nothing at the start and are not read. */
  readonly empty: ReadonlySet<string>
  readonly findings: readonly Finding[]
  /** Even a lenient job may not begin. */
  readonly fatal: boolean
}

/** Asks Kafka once for all topics. Of several streams of one topic the strictest decides. */
export async function checkTopics(
  kafka: Kafka,
  plan: StructurePlan,
  usual: MissingTopic,
  usualEmpty: MissingTopic
): Promise<TopicPlan> {
  const names = [...new Set(plan.streams.flatMap(({ topic }) => (topic === '' ? [] : [topic])))]
  const infos = names.length === 0 ? [] : await kafka.topics(names, 'READ')
  const present = new Map(
    infos.filter((info) => info.partitions.length > 0).map((info) => [info.name, info.partitions] as const)
  )
  const waiting = new Set<string>()
  const skipped = new Set<string>()
  const unread = new Set<string>()
  const findings: Finding[] = []
  let fatal = false
  for (const stream of plan.streams) {
    const { topic } = stream
    if (topic === '' || present.has(topic)) continue
    const policy = stream.onMissingTopic ?? usual
    if (policy === 'wait') waiting.add(topic)
    else skipped.add(topic)
    if (policy !== 'fail' || stream.companion) continue
    fatal = true
    findings.push({
      code: 'TOPIC_MISSING',
      path: below(stream.configAt, 'topic'),
      message: `${missingText(`topic ${topic}`)}, or set on_missing_topic`
    })
  }
  for (const { topic, partitions = [], configAt } of plan.streams) {
    const there = present.get(topic)
    const none = partitions.filter((partition) => there?.includes(partition) === false)
    if (none.length === 0) continue
    fatal = true
    const message = `topic '${topic}' has no partition ${none.join(', ')}; it has ${there?.length}`
    findings.push({ code: 'TOPIC_MISSING', path: below(configAt, 'partitions'), message })
  }
  for (const topic of waiting) skipped.delete(topic)
  for (const stream of plan.streams) {
    const policy = stream.onEmptyTopic ?? usualEmpty
    const partitions = present.get(stream.topic)
    if (policy === 'wait' || stream.companion || partitions === undefined) continue
    if (!(await isEmpty(kafka, stream.topic, partitions))) continue
    if (policy === 'skip') unread.add(stream.topic)
    else {
      fatal = true
      const message = `topic '${stream.topic}' holds no messages; set on_empty_topic to go on without`
      findings.push({ code: 'TOPIC_EMPTY', path: below(stream.configAt, 'topic'), message })
    }
  }
  // A topic that another stream waits for is read all the same
  for (const { topic, onEmptyTopic } of plan.streams) if ((onEmptyTopic ?? usualEmpty) === 'wait') unread.delete(topic)
  for (const topic of unread) present.delete(topic)
  return { present, waiting, skipped, empty: unread, findings, fatal }
}

/** What is in no stream's partitions is not read: worth a note. */
export async function unread(kafka: Kafka, plan: StructurePlan): Promise<string[]> {
  const taken = new Map<string, Set<number>>()
  for (const { topic, partitions } of plan.streams)
    if (partitions !== undefined) taken.set(topic, new Set([...(taken.get(topic) ?? []), ...partitions]))
  if (taken.size === 0) return []
  return (await kafka.topics([...taken.keys()])).flatMap(({ name, partitions }) => {
    const left = partitions.filter((partition) => taken.get(name)?.has(partition) === false)
    return left.length === 0 ? [] : [`no stream asks for partitions ${left.join(', ')} of ${name}: they were not read`]
  })
}

/** What came meanwhile to topics that were left out as empty is lost; throws when Kafka is away. */
export async function cameLate(
  kafka: Kafka,
  streams: readonly PlanStream[],
  empty: ReadonlySet<string>
): Promise<{ readonly problems: string[]; readonly notes: string[] }> {
  const said = { problems: [] as string[], notes: [] as string[] }
  for (const { name, partitions } of empty.size === 0 ? [] : await kafka.topics([...empty])) {
    const sources = [...new Set(streams.flatMap(({ topic, source }) => (topic === name ? [`'${source}'`] : [])))]
    const text = `topic '${name}' held no messages at the start and was left out (on_empty_topic)`
    if (await isEmpty(kafka, name, partitions)) said.notes.push(`${text}, and holds none now`)
    else said.problems.push(`${text}; messages have come since: nothing of ${someOf(sources)}`)
  }
  return said
}

async function isEmpty(kafka: Kafka, topic: string, partitions: readonly number[]): Promise<boolean> {
  const first = await kafka.offsets(topic, partitions, 'earliest')
  const end = await kafka.offsets(topic, partitions, 'latest')
  return partitions.every((partition) => (first.get(partition) ?? 0) >= (end.get(partition) ?? 0))
}
