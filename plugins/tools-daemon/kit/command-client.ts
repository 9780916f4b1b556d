// Sends commands and waits for their answers, as any client of the daemon would.
import { randomUUID } from 'node:crypto'
import {
  CodedError,
  type Command,
  exitCodes,
  type Kafka,
  type Reply,
  type ToolConfig,
  type ToolContext,
  type ToolFlags,
  topicMissing,
  visible,
  visibleJson,
  writeJson
} from '../../../core/api/plugin.js'

/** An answer as it came, with the daemon's own keys. */
type Answer = Reply & { readonly msg_id: string | null; readonly service_id?: string }

interface CommandTopics {
  readonly commandTopic: string
  readonly replyTopic: string
}

/** Flags win over the config: `commands.topic` or the first `commands.listen` for JSON, and where its answers go. */
function commandTopics({ topic, replyTopic: answers }: ToolFlags, config: ToolConfig): CommandTopics {
  const listen = config.commands.listen.find((entry) => entry.dialects.includes('json'))
  const commandTopic = (topic as string | undefined) ?? config.commands.topic ?? listen?.topic
  const own = config.commands.topic === undefined ? listen?.reply_topic : undefined
  const replyTopic = (answers as string | undefined) ?? own ?? config.status.topic
  if (commandTopic === undefined || replyTopic === undefined)
    throw new CodedError(
      'CLI_USAGE',
      'no topic for commands or answers; give --config FILE, or --topic COMMANDS --reply-topic ANSWERS'
    )
  return { commandTopic, replyTopic }
}

/** Sends one command and waits for the answer with its msg_id. Throws COMMAND_TIMEOUT. */
export async function askOn(kafka: Kafka, topics: CommandTopics, command: Command, timeoutMs: number): Promise<Answer> {
  const sent = { ...command, msg_id: command.msg_id ?? randomUUID() }
  const { commandTopic, replyTopic } = topics
  const [partitions] = await Promise.all([partitionsOf(kafka, replyTopic), partitionsOf(kafka, commandTopic)])
  const ends = await kafka.offsets(replyTopic, partitions, 'latest')
  const assign = [...ends].map(([partition, offset]) => ({ topic: replyTopic, partition, offset }))
  const reader = kafka.reader({ assign, maxWaitMs: 200 })
  try {
    const producer = kafka.producer({ lingerMs: 0, deliveryTimeoutMs: timeoutMs })
    try {
      producer.send({ topic: commandTopic, value: writeJson(sent) })
      await producer.flush()
    } finally {
      await producer.close()
    }
    const deadline = Date.now() + timeoutMs
    for (let left = timeoutMs; left > 0; left = deadline - Date.now()) {
      const batch = await reader.poll(Math.min(left, 500))
      if (batch === null) break
      if (batch === undefined) continue
      const values = Array.from({ length: batch.count }, (_, i) => answerIn(batch.value(i), sent.msg_id))
      batch.release()
      const answer = values.find((value) => value !== undefined)
      if (answer !== undefined) return answer
    }
  } finally {
    await reader.close()
  }
  throw new CodedError(
    'COMMAND_TIMEOUT',
    `no answer to '${command.cmd}' on ${replyTopic} within ${timeoutMs} ms; does a daemon listen on ${commandTopic}? See --timeout`
  )
}

function answerIn(value: Buffer | null, msgId: string): Answer | undefined {
  if (value?.[0] !== 0x7b) return undefined
  try {
    const answer = JSON.parse(value.toString('utf8')) as Answer
    return answer.msg_id === msgId && typeof answer.response === 'string' ? answer : undefined
  } catch {
    return undefined // Other people's messages may look as they like
  }
}

/** The partitions of a topic that exists; TOPIC_MISSING with the hint when it does not. */
async function partitionsOf(kafka: Kafka, topic: string): Promise<readonly number[]> {
  const [info] = await kafka.topics([topic])
  if (info === undefined || info.partitions.length === 0) throw topicMissing(`topic ${topic}`)
  return info.partitions
}

/** Connects, asks on the topics of the flags or of the config, disconnects. Throws COMMAND_TIMEOUT. */
export async function ask(context: ToolContext, flags: ToolFlags, command: Command): Promise<Reply> {
  const { kafka } = context.connect()
  try {
    return await askOn(kafka, commandTopics(flags, context.config()), command, context.timeoutMs)
  } finally {
    await kafka.close()
  }
}

/** Prints an answer (JSON on request) and gives the exit code. */
export async function showReply(context: ToolContext, flags: ToolFlags, reply: Reply): Promise<number> {
  const { colour, print, printJson, sayFinding } = context
  const refused = reply.response === 'ERR'
  if (flags['json'] === true) await printJson(reply)
  else {
    const head = refused ? colour.red('ERR') : colour.green('ACK')
    const job = reply.job_id === undefined ? '' : `  job ${reply.job_id}`
    await print(`${head} ${reply.status} ${visible(reply.message)}${job}`)
    for (const finding of reply.errors ?? []) sayFinding(finding)
    if (reply.result !== undefined) await print(writeJson(reply.result, 2).split('\n').map(visibleJson).join('\n'))
  }
  return refused ? exitCodes.refused : exitCodes.done
}
