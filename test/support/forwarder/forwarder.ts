// A forwarder under test: driven by hand, on an in-memory Kafka.
import assert from 'node:assert/strict'
import { type Command, type Origin, type Reply } from '../../../core/api/plugin.js'
import { check } from '../../../core/check.js'
import { carryOut } from '../carry-out.js'
import { MemoryKafka } from '../memory-kafka.js'
import { serviceContext } from '../service-context.js'
import { optionSchema, type ForwarderOptions } from '../../../plugins/service-forwarder/options.js'
import { commands } from '../../../plugins/service-forwarder/commands/index.js'
import { Forwarder } from '../../../plugins/service-forwarder/service.js'
import { HandSource, testConverters } from './parts.js'

const origin: Origin = { dialect: 'json', topic: 'commands', timestampMs: 0, replyTopic: 'answers' }

export interface Sent {
  readonly id: string
  readonly source: string
  readonly value?: unknown
  readonly repeat?: boolean
  readonly number?: number
  readonly time?: string
  readonly severity?: number
  readonly connection?: number
}
export interface Result {
  readonly added: number
  readonly changed: number
  readonly unchanged: number
  readonly removed: number
  readonly refused: number
  readonly kept?: boolean
}

export const running: Forwarder[] = []

/** Ends all forwarders of a test. */
export async function stopAll(): Promise<void> {
  for (const service of running.splice(0)) await service.stop()
}

/** A forwarder that runs, with all that a test needs to drive it and to look at it. */
export async function forwarder(
  options: Record<string, unknown> = {},
  kafka = new MemoryKafka('a', 'b', 'keep'),
  serviceId = 'test'
) {
  const source = new HandSource()
  const { opened, parts } = testConverters()
  const context = serviceContext(kafka, { sources: [source.part], converters: parts, serviceId })
  const all = { default_protocol: 'hand', ...structuredClone(options) }
  assert.deepEqual(check(optionSchema, all), [])
  const service = new Forwarder(context, all as unknown as ForwarderOptions)
  running.push(service)
  await service.start()
  const run = async (cmd: string, keys: Record<string, unknown> = {}): Promise<Reply & { result: Result }> => {
    const command: Command = { cmd, service: 'forwarder', ...keys }
    return (await carryOut(commands, service, command, origin)) as Reply & { result: Result }
  }
  const sent = (topic: string, ...ids: string[]): Sent[] =>
    kafka
      .messages(topic)
      .map(({ value }) => JSON.parse(String(value)) as Sent)
      .filter(({ id }) => ids.length === 0 || ids.includes(id))
  const values = (topic: string, id = 'f142'): unknown[] => sent(topic, id).map(({ value }) => value)
  return { source, opened, context, kafka, service, run, sent, values }
}

export const stream = (channel: string, more: Record<string, unknown> = {}) => ({
  channel,
  converter: 'f142',
  topic: 'a',
  ...more
})
export const where = (reply: Reply): string[] => (reply.errors ?? []).map(({ code, path }) => `${code} ${path}`)
export const until = async (done: () => boolean): Promise<void> => {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 2))
}
