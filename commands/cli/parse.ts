// Words of the command line: addresses of topics and brokers.
import { CodedError } from '../../core/api/errors.js'

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
  if (text === '') throw usage('an empty word is no topic; write host:port/topic, or only a topic')
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
