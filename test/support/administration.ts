// Topics made and listed as `nexstream provision` and `nexstream topics` do.
import { connectKafka } from '../../core/kafka/client.js'
import { type KafkaOptions } from '../../core/kafka/options.js'
import * as topics from '../../plugins/tools-topics/admin/topics.js'

async function at<T>(options: KafkaOptions, use: (place: topics.TopicPlace) => Promise<T>): Promise<T> {
  const kafka = connectKafka(options)
  const place = {
    kafka,
    allTopics: () => kafka.topics(null),
    settings: kafka.cluster.settings,
    alterTopic: (...change: Parameters<typeof kafka.alterTopic>) => kafka.alterTopic(...change)
  }
  return use(place).finally(() => kafka.close())
}

export const provision = (
  options: KafkaOptions,
  wanted: readonly topics.WantedTopic[],
  how?: { dryRun?: boolean }
): Promise<topics.ProvisionedTopic[]> => at(options, (place) => topics.provision(place, wanted, how))

export const listTopics = (options: KafkaOptions): Promise<topics.ListedTopic[]> => at(options, topics.listTopics)
