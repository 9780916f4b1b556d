// `nexstream topics`: what topics there are, with partitions, offsets and counts.
import { topicMissing, type ToolRun } from '../../core/api/plugin.js'
import { table } from '../tools-daemon/tool-kit.js'
import { listTopics } from './admin/topics.js'

const topics: ToolRun = async ([address], flags, context) => {
  const { connect, print, printJson } = context
  const target = connect(address)
  const all = await listTopics(target).finally(() => target.kafka.close())
  const listed = target.topic === undefined ? all : all.filter(({ name }) => name === target.topic)
  if (target.topic !== undefined && listed.length === 0) throw topicMissing(`topic ${target.topic}`)
  const rows = listed.flatMap(({ name, replication, partitions }) =>
    partitions.map(({ partition, earliest, latest }) => ({
      topic: name, partition, replication, earliest, next: latest, messages: latest - earliest
    }))
  ) // prettier-ignore
  if (flags['json'] === true) for (const row of rows) await printJson(row)
  else
    await print(
      table(context, [
        ['topic', 'partition', 'replicas', 'earliest', 'next', 'messages'],
        ...rows.map((row) => Object.values(row).map(String))
      ])
    )
}

export default topics
