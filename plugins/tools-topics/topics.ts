// `nexstream topics`: what topics there are, with counts, leaders and offsets of their partitions; and the groups that read them.
import { type ToolContext, type ToolRun, visible } from '../../core/api/plugin.js'
import { noTopic, table } from '../tools-daemon/tool-kit.js'
import { type GroupPosition, groupsOf, leadersOf, type PartitionLeader, placeOf } from './admin/groups.js'
import { type ListedTopic, listTopics } from './admin/topics.js'

const topics: ToolRun = async ([address], flags, context) => {
  const { connect, print, printJson } = context
  const target = connect(address)
  try {
    const all = await listTopics(target)
    const listed = target.topic === undefined ? all : all.filter(({ name }) => name === target.topic)
    if (target.topic !== undefined && listed.length === 0) throw await noTopic(target.topic, target)
    if (flags['groups'] === true)
      return await showGroups(await groupsOf(target, listed), flags['json'] === true, context)
    const rows = rowsOf(listed, await leadersOf(target, listed))
    if (flags['json'] === true) for (const row of rows) await printJson(row)
    else await print(topicTable(rows, context))
  } finally {
    await target.kafka.close()
  }
}

export default topics

type TopicRow = ReturnType<typeof rowsOf>[number]

function rowsOf(listed: readonly ListedTopic[], leaders: ReadonlyMap<string, PartitionLeader>) {
  return listed.flatMap(({ name, replication, partitions }) =>
    partitions.map(({ partition, earliest, latest }) => {
      const { leader, replicas = [], inSync = [] } = leaders.get(placeOf(name, partition)) ?? {}
      return {
        topic: name, partition, replication, earliest, next: latest, messages: latest - earliest,
        leader: leader ?? null, replicas, in_sync: inSync
      } // prettier-ignore
    })
  )
}

/** What is short of a leader or of replicas is red. */
function topicTable(rows: readonly TopicRow[], context: ToolContext): string {
  const { colour } = context
  const shown = rows.map(({ topic, partition, replication, earliest, next, messages, leader, in_sync }) => {
    const isShort = in_sync.length < replication
    const sync = `${in_sync.length}/${replication}`
    const lead = leader === null ? colour.red('none') : String(leader)
    return [topic, String(partition), String(messages), lead, isShort ? colour.red(sync) : sync, String(earliest), String(next)] // prettier-ignore
  })
  return table(context, [['topic', 'partition', 'messages', 'leader', 'in sync', 'earliest', 'next'], ...shown])
}

async function showGroups(positions: readonly GroupPosition[], isJson: boolean, context: ToolContext): Promise<void> {
  if (isJson) for (const position of positions) await context.printJson(position)
  else if (positions.length === 0) context.say('no group has offsets of these topics')
  else {
    const rows = positions.map(({ group, topic, partition, committed, lag }) => [visible(group), topic, String(partition), String(lag), String(committed)]) // prettier-ignore
    await context.print(table(context, [['group', 'topic', 'partition', 'lag', 'committed'], ...rows]))
  }
}
