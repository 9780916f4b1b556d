// The topics that a config asks for, with the instrument's name filled in, and those of its commands and status.
import { CodedError, durationMs, type ToolConfig } from '../../core/api/plugin.js'
import { type WantedTopic } from './admin/topics.js'

/** `{instrument}` in a name is replaced; without an instrument such a name is an error. */
export function wantedTopics(config: ToolConfig, instrument: string | undefined): WantedTopic[] {
  if (instrument !== undefined && !/^[A-Za-z0-9_-]+$/.test(instrument))
    throw new CodedError('CLI_USAGE', `'${instrument}' is no instrument name (letters, digits, '_', '-')${/\.(toml|ya?ml|json)$/.test(instrument) ? `; a config is given by --config ${instrument}` : ''}`) // prettier-ignore
  const described = config.topics.map((topic, i): WantedTopic => {
    if (topic.name.includes('{instrument}') && instrument === undefined)
      throw new CodedError('CLI_USAGE', `topic '${topic.name}' needs an instrument: nexstream provision INSTRUMENT`, {
        path: `/topics/${i}/name`
      })
    const settings = new Map<string, string>()
    if (topic.retention !== undefined) settings.set('retention.ms', String(durationMs(topic.retention)))
    if (topic.retention_bytes !== undefined) settings.set('retention.bytes', String(topic.retention_bytes))
    if (topic.max_message_bytes !== undefined) settings.set('max.message.bytes', String(topic.max_message_bytes))
    if (topic.compact) settings.set('cleanup.policy', 'compact')
    return {
      name: topic.name.replaceAll('{instrument}', instrument ?? ''),
      partitions: topic.partitions,
      replication: topic.replication,
      config: Object.fromEntries(settings)
    }
  })
  const others = new Set(daemonTopics(config))
  for (const { name } of described) others.delete(name)
  return [...described, ...[...others].map((name) => ({ name }))]
}

/** Without these the daemon does not start. */
function daemonTopics({ commands, status }: ToolConfig): string[] {
  const own = commands.listen.flatMap((entry) => [entry.topic, entry.reply_topic])
  return [commands.topic, ...own, status.topic].filter((name) => name !== undefined)
}
