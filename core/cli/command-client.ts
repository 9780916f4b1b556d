// Sends commands and waits for their answers, as any client of the daemon would.
import { randomUUID } from 'node:crypto'
import { type DaemonConfig } from '../config.js'
import { CodedError } from '../api/errors.js'
import { writeJson } from '../api/json.js'
import { type Command, type Kafka, type Reply } from '../api/plugin.js'
import { connect, type KafkaFlags, partitionsOf } from './connect.js'
import { exitCodes } from './exit.js'
import { colour, findingLine, print, printJson, say, settings, toJson, visible } from './io.js'

export interface CommandFlags extends KafkaFlags {
  readonly topic?: string
  readonly replyTopic?: string
  readonly json?: boolean
}

/** An answer as it came, with the daemon's own keys. */
export type Answer = Reply & { readonly msg_id: string | null; readonly service_id?: string }

interface CommandTopics {
  readonly commandTopic: string
  readonly replyTopic: string
}

/** Flags win over the config: `commands.topic` or the first `commands.listen` for JSON, and where its answers go. */
function commandTopics(flags: CommandFlags, config: DaemonConfig): CommandTopics {
  const listen = config.commands.listen.find((entry) => entry.dialects.includes('json'))
  const commandTopic = flags.topic ?? config.commands.topic ?? listen?.topic
  const own = config.commands.topic === undefined ? listen?.reply_topic : undefined
  const replyTopic = flags.replyTopic ?? own ?? config.status.topic
  if (commandTopic === undefined || replyTopic === undefined)
    throw new CodedError(
      'CLI_USAGE',
      'no topic for commands or answers; give --config FILE, or --topic COMMANDS --reply-topic ANSWERS'
    )
  return { commandTopic, replyTopic }
}

/** Sends one command and waits for the answer with its msg_id. Throws COMMAND_TIMEOUT. */
export async function ask(kafka: Kafka, topics: CommandTopics, command: Command, timeoutMs: number): Promise<Answer> {
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

/** Connects, asks, disconnects. */
export async function askOnce(command: Command, flags: CommandFlags): Promise<Answer> {
  const target = connect(undefined, flags)
  try {
    return await ask(target.kafka, commandTopics(flags, target.config), command, settings.timeoutMs)
  } finally {
    await target.kafka.close()
  }
}

/** Prints an answer (JSON on request) and gives the exit code. */
export async function showAnswer(answer: Reply, json: boolean | undefined): Promise<number> {
  const refused = answer.response === 'ERR'
  if (json === true) await printJson(answer)
  else {
    const head = refused ? colour.red('ERR') : colour.green('ACK')
    const job = answer.job_id === undefined ? '' : `  job ${answer.job_id}`
    await print(`${head} ${answer.status} ${visible(answer.message)}${job}`)
    for (const finding of answer.errors ?? []) say(findingLine(finding))
    if (answer.result !== undefined) await print(toJson(answer.result, 2))
  }
  return refused ? exitCodes.refused : exitCodes.done
}
