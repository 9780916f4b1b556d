// What all tools have that send a command.
import { type ToolArgument, type ToolOption } from '../../core/api/plugin.js'

export const commandTopics: readonly ToolOption[] = [
  { flags: '--topic <topic>', summary: 'command topic; default that of the config' },
  { flags: '--reply-topic <topic>', summary: 'topic of the answers; default that of the config' }
]
export const pairs: ToolArgument = {
  name: 'pairs',
  summary: 'key=value, key=JSON, key=@file.json; …_time also takes now, +10s, -5min, 10:30, yesterday',
  optional: true,
  several: true
}

/** The same where `--topic` is that of the data. */
export const commandTopicsBeside: readonly ToolOption[] = [
  { flags: '--command-topic <topic>', summary: 'command topic; default that of the config' },
  { flags: '--reply-topic <topic>', summary: 'topic of the answers; default that of the config' }
]
