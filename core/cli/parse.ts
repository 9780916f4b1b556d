// Words of the command line: addresses, durations, moments, numbers.
import { CodedError } from '../api/errors.js'
import { durationMs } from '../config-schema.js'

/** Where to look: `broker[,broker…][/topic]` or only a topic. */
export interface KafkaAddress {
  readonly brokers: readonly string[]
  readonly topic: string | undefined
  /** From the forwarder's `MECHANISM\user@host:port/topic`. */
  readonly mechanism?: string
  readonly user?: string
}

const usage = (message: string): CodedError => new CodedError('CLI_USAGE', message)

const brokerForm = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$/
const topicForm = /^[A-Za-z0-9._-]{1,249}$/

/** Parses `host:port/topic`, `host:port`, `topic` and `MECHANISM\user@host:port/topic`. */
export function parseAddress(text: string): KafkaAddress {
  let rest = text.replace(/^(?:kafka:)?\/\//, '')
  const login = /^(?:([A-Z0-9_+-]+)\\)?([^@/]+)@/.exec(rest)
  if (login) rest = rest.slice(login[0].length)
  const slash = rest.indexOf('/')
  const head = slash < 0 ? rest : rest.slice(0, slash)
  const tail = slash < 0 ? '' : rest.slice(slash + 1)
  const extra = { ...(login?.[1] && { mechanism: login[1] }), ...(login?.[2] && { user: login[2] }) }
  if (slash < 0 && !head.includes(':')) return { brokers: [], topic: checkTopic(head, text), ...extra }
  const brokers = head.split(',')
  for (const broker of brokers)
    if (!brokerForm.test(broker)) throw usage(`'${text}' is no address; write host:port/topic, or only a topic`)
  return { brokers, topic: tail === '' ? undefined : checkTopic(tail, text), ...extra }
}

function checkTopic(topic: string, text: string): string {
  if (!topicForm.test(topic)) throw usage(`'${topic}' in '${text}' is no topic name (letters, digits, '.', '_', '-')`)
  return topic
}

/** `500ms`, `2s`, `5min`, `1h` → milliseconds. A bare number is refused: nobody could tell which unit is meant. */
export function parseDuration(text: string): number {
  try {
    return Math.round(durationMs(text.trim().replace(/\s+(?=[a-z])/, '')))
  } catch {
    throw usage(`'${text}' is no duration; write 500ms, 2s, 5min or 1h`)
  }
}

const dated = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)\s*(Z|[+-]\d\d:?\d\d)?)?$/i

/** A date, or a date and a time, as ISO 8601 with a zone: UTC where none is given, for both. Undefined for anything else. */
export function zoned(text: string): string | undefined {
  const [, date, time = '00:00:00', zone = 'Z'] = dated.exec(text.trim()) ?? []
  return date === undefined ? undefined : `${date}T${time.replace(',', '.')}${zone.toUpperCase()}`
}

/** A moment in ms since the Unix epoch: ISO 8601, in UTC without a zone, ms, `now`, or a duration ago or ahead (`-5min`, `+10s`). */
export function parseMoment(text: string, nowMs = Date.now()): number {
  if (text === 'now') return nowMs
  if (/^[-+]/.test(text)) return nowMs + (text.startsWith('-') ? -1 : 1) * parseDuration(text.slice(1))
  if (/^\d{11,14}$/.test(text)) return Number(text)
  const parsed = Date.parse(zoned(text) ?? 'none')
  if (!Number.isNaN(parsed)) return parsed
  const seconds = /^\d{9,10}$/.test(text) ? ' (it looks like seconds since 1970)' : ''
  const allowed = '2026-11-21T12:00:00Z or +01:00 (UTC without a zone), ms since 1970, now, -5min or +10s'
  throw usage(`'${text}' is no moment${seconds}; write ${allowed}`)
}

/** A whole number ≥ 0. */
export function parseCount(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw usage(`'${text}' is no whole number`)
  return value
}
