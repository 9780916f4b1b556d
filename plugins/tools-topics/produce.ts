// `nexstream produce`: messages into a topic, from the JSON lines that `tail --json` and `tail --raw` print, or that somebody writes.
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { CodedError, errorText, type ToolRun, writeJson } from '../../core/api/plugin.js'
import { encodeMessage, readJson } from '../../schemas/index.js'
import { countOf } from '../tools-daemon/tool-kit.js'
import { needTopic, partitionsOf } from './scan.js'
import { isRecording } from '../tools-recording/recording-kit.js'

interface Wanted {
  readonly key: string | null
  readonly value: Buffer | null
}

/** Nothing is sent when a line is wrong: all are read first. Exit code 1 when something was not delivered. */
const produce: ToolRun = async ([address, file = '-'], flags, { connect, print, printJson, timeoutMs }) => {
  if (isRecording(file)) throw new CodedError('CLI_USAGE', `${file} is a recording; 'nexstream play ${file}' sends it`)
  const target = connect(address)
  const { kafka } = target
  try {
    const topic = await needTopic(target)
    const partition = typeof flags['partition'] === 'string' ? countOf(flags['partition'], '--partition') : undefined
    const there = await partitionsOf(kafka, topic)
    if (partition !== undefined && !there.includes(partition))
      throw new CodedError('CLI_USAGE', `topic ${topic} has no partition ${partition}; it has ${there.join(', ')}`)
    const messages = await messagesOf(file)
    const producer = kafka.producer({ deliveryTimeoutMs: timeoutMs })
    let sent = 0
    let failure: Error | undefined
    try {
      for (const { key, value } of messages) {
        const place = partition === undefined ? {} : { partition }
        const hasRoom = producer.send({ topic, key, value, ...place }, (error) =>
          error === null ? sent++ : (failure ??= error)
        )
        if (!hasRoom) await producer.drained()
      }
      await producer.flush().catch((error: unknown) => (failure ??= error as Error))
    } finally {
      await producer.close().catch(() => undefined) // Told already
    }
    if (failure !== undefined) throw new CodedError('KAFKA_LOST', `${messages.length - sent} of ${messages.length} messages were not delivered: ${failure.message}`) // prettier-ignore
    await (flags['json'] === true ? printJson({ topic, messages: sent }) : print(`${sent} messages into ${topic}`))
  } finally {
    await kafka.close()
  }
}

export default produce

/** Throws CodedError FILE_READ that names the line. */
async function messagesOf(file: string): Promise<Wanted[]> {
  const messages: Wanted[] = []
  let number = 0
  try {
    const input = file === '-' ? process.stdin : (await open(file)).createReadStream()
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      number++
      if (line.trim() !== '' && !line.startsWith('#')) messages.push(messageIn(line))
    }
  } catch (cause) {
    const where = number === 0 ? 'cannot be read' : `line ${number}`
    throw new CodedError('FILE_READ', `${file}: ${where}: ${errorText(cause)}`, { cause })
  }
  return messages
}

function messageIn(line: string): Wanted {
  const json = readJson(line)
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new Error('is no JSON object')
  const { key = null, value, message, file_identifier: id } = json as Readonly<Record<string, unknown>>
  if (key !== null && typeof key !== 'string') throw new Error("'key' is no text")
  if (value === null) return { key, value: null }
  if (typeof value === 'string') return { key, value: Buffer.from(value, 'base64') }
  if (message === undefined || typeof id !== 'string')
    throw new Error("write {\"file_identifier\": \"f144\", \"message\": {…}} as `tail --json` prints them, \"file_identifier\": \"json\" for any JSON, or \"value\" in base64") // prettier-ignore
  return { key, value: id === 'json' ? Buffer.from(writeJson(message)) : encodeMessage(id, message as never) }
}
