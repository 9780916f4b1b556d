// Reporter: the status messages of the C++ EPICS forwarder of 2018–2021, for programs that still read them.
import { API, definePlugin, defineReporter, type DaemonSnapshot, pace } from '../../core/api/plugin.js'

type Row = Readonly<Record<string, unknown>>

const reporter = defineReporter({
  id: 'forwarder-2018',
  summary: 'Sends the list of forwarded channels as the C++ EPICS forwarder did.',
  config: {
    type: 'object',
    additionalProperties: false,
    properties: {
      topic: { type: 'string', pattern: '^[a-zA-Z0-9._-]{1,249}$', description: 'Topic; default `status.topic`.' },
      interval_ms: { type: 'integer', minimum: 100, default: 4000, description: 'Time between messages.' }
    }
  },
  open({ topic: ownTopic, interval_ms: intervalMs }, { kafka, statusTopic }) {
    const topic = ownTopic ?? statusTopic
    if (topic === undefined) return undefined
    const producer = kafka.producer({ lingerMs: 0, maxBufferedBytes: 4_000_000 })
    const isDue = pace(intervalMs)
    return {
      report(snapshot) {
        if (!isDue()) return
        // A status that cannot be sent now is worthless later: the next one replaces it
        if (producer.bufferedBytes > 1_000_000) throw new Error('status messages are not taken by Kafka; skipping')
        producer.send({ topic, key: snapshot.service_id, value: JSON.stringify(statusMessage(snapshot)) })
      },
      close: () => producer.close()
    }
  }
})

/** One entry for each channel, with all its converters. */
export function statusMessage({ service_id: id, services }: DaemonSnapshot): Row {
  const channels = new Map<string, { state: unknown; converters: Row[] }>()
  for (const { channel_name: name, state, schema, output_topic: topic } of streamsOf(services)) {
    const channel = channels.get(String(name)) ?? { state, converters: [] }
    // One broker for all topics: that of the daemon
    channel.converters.push({ schema, broker: '', topic })
    channels.set(String(name), channel)
  }
  const streams = [...channels].map(([name, { state, converters }]) => ({
    channel_name: name,
    epics_connection_status: state ?? 'NEVER_CONNECTED',
    queue_size: 0,
    converters
  }))
  return { service_id: id, streams }
}

/** As the forwarder's heartbeat lists them. */
function streamsOf(services: DaemonSnapshot['services']): readonly Row[] {
  const lists = Object.values(services).map(({ heartbeat }) => heartbeat?.['streams'])
  return lists.flatMap((list) => (Array.isArray(list) ? (list as Row[]) : []))
}

export default definePlugin({
  name: 'reporter-forwarder-2018',
  version: '1.0.0',
  api: API,
  summary: 'Status messages of the C++ EPICS forwarder of 2018–2021.',
  apply: (registry) => registry.reporter(reporter)
})
