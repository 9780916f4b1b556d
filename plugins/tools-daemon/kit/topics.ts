// Topics that are not there, with the one that somebody may have meant.
import { CodedError, meant, type ToolTarget, topicMissing } from '../../../core/api/plugin.js'

/** TOPIC_MISSING for a topic that a look-up did not find. */
export async function noTopic(topic: string, { allTopics }: Pick<ToolTarget, 'allTopics'>): Promise<CodedError> {
  const names = await allTopics().catch(() => [])
  const near = meant(topic, names.map(({ name }) => name)) // prettier-ignore
  return near === '' ? topicMissing(`topic ${topic}`) : new CodedError('TOPIC_MISSING', `topic ${topic} does not exist${near}; 'nexstream topics' lists what there is`) // prettier-ignore
}
