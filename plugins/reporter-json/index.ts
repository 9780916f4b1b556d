// Reporter: the daemon's snapshot as one JSON message on the status topic.
import { API, CodedError, type DaemonSnapshot, definePlugin, defineReporter } from '../../core/api/plugin.js'
import { listenForTwins } from './twins.js'

/** Metrics are for monitoring and heartbeats for x5f2; both would only repeat what is said here. */
const shown = (key: string, value: unknown): unknown =>
  key === 'metrics' || key === 'heartbeat' || key === 'heartbeats'
    ? undefined
    : typeof value === 'bigint'
      ? value.toString()
      : value

const reporter = defineReporter({
  id: 'json',
  summary: 'Sends the state of the daemon, its services and jobs as JSON.',
  config: {
    type: 'object',
    additionalProperties: false,
    properties: { topic: { type: 'string', description: 'Topic; default `status.topic`.' } }
  },
  open(options, context) {
    const { kafka, serviceId, signal, statusTopic } = context
    const { topic = statusTopic } = options
    if (topic === undefined) return undefined
    const producer = kafka.producer({ lingerMs: 0, maxBufferedBytes: 4_000_000 })
    /** Why the last status did not arrive. */
    let failure: Error | null = null
    let isFirst = true
    /** Long enough to hear each other also when two start at once. */
    const lookForTwins = (snapshot: DaemonSnapshot): void => {
      const until = AbortSignal.any([signal, AbortSignal.timeout(3 * snapshot.update_interval_ms + 3000)])
      void listenForTwins(kafka, topic, snapshot, (level, message) => context.log(level, message), until)
    }
    return {
      report(snapshot) {
        if (isFirst) lookForTwins(snapshot)
        isFirst = false
        // A status that cannot be sent now is worthless later: the next one replaces it
        if (producer.bufferedBytes > 1_000_000)
          throw new CodedError('KAFKA_LOST', 'status messages are not taken by Kafka; skipping')
        producer.send({ topic, key: serviceId, value: JSON.stringify(snapshot, shown) }, (error) => (failure = error))
        if (failure !== null) throw failure
      },
      close: () => producer.close()
    }
  }
})

export default definePlugin({
  name: 'reporter-json',
  version: '1.0.0',
  api: API,
  summary: 'JSON status messages.',
  apply: (registry) => registry.reporter(reporter)
})
