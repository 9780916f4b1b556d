// A member of a consumer group in a process of its own, so that it can be killed: as test/support/python/group_member.py.
import { connectKafka } from '../../core/kafka/client.js'
import { GroupReader } from '../../core/kafka/group.js'

const [, , brokers = '', groupId = '', topic = ''] = process.argv
const say = (what: Readonly<Record<string, unknown>>): void => void process.stdout.write(`${JSON.stringify(what)}\n`)

const client = connectKafka({ brokers: brokers.split(',') }, (level, message) => say({ log: `${level} ${message}` }))
const reader = new GroupReader(
  client,
  { groupId, topic, from: 'earliest', sessionTimeoutMs: 6000 },
  async ({ value }, take) => {
    const name = value.toString()
    say({ taking: name })
    await take()
    say({ took: name })
    return 'done'
  },
  (level, message, fields) => say({ log: `${level} ${message}`, ...fields })
)
process.once('SIGTERM', () => void reader.close().then(() => client.close()))
await reader.join()
say({ joined: true })
