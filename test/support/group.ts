// Members of consumer groups.
import { type KafkaClient } from '../../core/kafka/client.js'
import { type GroupOptions, GroupReader, type Work } from '../../core/kafka/group.js'
import { type Log } from '../../core/log.js'

/** A member that has joined; see `GroupReader.join`. */
export async function groupReader(
  client: KafkaClient,
  options: GroupOptions,
  work: Work,
  log: Log = () => undefined
): Promise<GroupReader> {
  const reader = new GroupReader(client, options, work, log)
  await reader.join()
  return reader
}
