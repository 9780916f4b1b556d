// What may be asked of topics and their messages, with its limits.
import { type FastifyInstance, type FastifyRequest } from 'fastify'
import { Refusal } from './guard.js'
import { type KafkaView } from './kafka-view.js'
import { type Places } from './wire.js'

/** Rows of one list. */
const MOST_ROWS = 200
const USUAL_ROWS = 50
const MOST_PARTITIONS = 1000

type Query = Readonly<Record<string, string | undefined>>

const refuse = (message: string): never => {
  throw new Refusal(400, message)
}

/** A whole number from 0 on. Throws Refusal. */
function whole(text: string, what: string): number {
  const n = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(n) ? n : refuse(`${what} is no whole number`)
}

/** `0:120,1:77` → offsets of partitions. Throws Refusal. */
function placesOf(text: string | undefined, what: string): Places | undefined {
  if (text === undefined) return undefined
  const parts = text === '' ? [] : text.split(',')
  if (parts.length > MOST_PARTITIONS) refuse(`${what} names more than ${MOST_PARTITIONS} partitions`)
  return Object.fromEntries(
    parts.map((part) => {
      const [partition = '', offset = ''] = part.split(':')
      return [whole(partition, `the partition in ${what}`), whole(offset, `the offset in ${what}`)]
    })
  )
}

export function messageRoutes(app: FastifyInstance, kafka: KafkaView): void {
  const query = (request: FastifyRequest): Query => request.query as Query
  const param = (request: FastifyRequest, name: string): string =>
    (request.params as Readonly<Record<string, string>>)[name] ?? ''

  app.get('/api/topics', () => ({ topics: kafka.messageTopics }))
  app.get('/api/topics/:topic', (request) => {
    const { since } = query(request)
    const sinceMs = since === undefined ? undefined : whole(since, 'since')
    return kafka.askMessages({
      type: 'topic',
      topic: param(request, 'topic'),
      ...(sinceMs !== undefined && { sinceMs })
    })
  })
  app.get('/api/topics/:topic/messages', (request) => {
    const { from, to, n, schema = '' } = query(request)
    const count = Math.max(1, Math.min(MOST_ROWS, n === undefined ? USUAL_ROWS : whole(n, 'n')))
    const places = { from: placesOf(from, 'from'), to: placesOf(to, 'to') }
    return kafka.askMessages({
      type: 'messages',
      topic: param(request, 'topic'),
      ...places,
      count,
      schema: schema.slice(0, 4)
    })
  })
  app.get('/api/topics/:topic/messages/:partition/:offset', (request) =>
    kafka.askMessages({
      type: 'message',
      topic: param(request, 'topic'),
      partition: whole(param(request, 'partition'), 'the partition'),
      offset: whole(param(request, 'offset'), 'the offset')
    })
  )
}
