// Reporter: heartbeats as x5f2 FlatBuffers, with the keys in status_json that the field's clients read.
import {
  API,
  CodedError,
  definePlugin,
  defineReporter,
  type DaemonSnapshot,
  type Producer
} from '../../core/api/plugin.js'
import { Builder, Status } from '../../schemas/control.js'

const topic = { type: 'string', pattern: '^[a-zA-Z0-9._-]{1,249}$' } as const

/** One heartbeat: which services it speaks for, with their keys of status_json, and where it goes. */
interface Heartbeat {
  readonly topic: string
  readonly services: Map<string, Content>
}
type Content = Readonly<Record<string, unknown>>

const reporter = defineReporter({
  id: 'x5f2',
  summary: 'Sends heartbeats as x5f2, as clients of the file writer and the forwarder expect them.',
  config: {
    type: 'object',
    additionalProperties: false,
    properties: {
      topic: { ...topic, description: 'Topic; default `status.topic`.' },
      interval_ms: {
        type: 'integer',
        minimum: 1000,
        default: 2000,
        description: 'Time between heartbeats; clients divide it by 1000, so at least 1000.'
      },
      software_name: { type: 'string', default: 'nexstream', description: 'Name of the software in the heartbeat.' },
      services: {
        type: 'object',
        default: {},
        additionalProperties: topic,
        description: 'Service → topic of its own heartbeat; services not named here share the one on `topic`.'
      },
      software_names: {
        type: 'object',
        default: {},
        additionalProperties: { type: 'string' },
        description: 'Service → name of the software in its own heartbeat, for clients that look for another program.'
      }
    }
  },
  open(options, { kafka, statusTopic }) {
    const {
      topic = statusTopic,
      interval_ms: intervalMs,
      software_name: name,
      software_names: names,
      services
    } = options
    if (topic === undefined) return undefined
    // Compressed: a list of 20,000 streams is 2 MB, more than brokers take by default
    const producer = kafka.producer({ lingerMs: 0, maxBufferedBytes: 4_000_000, compression: 'gzip' })
    let due = 0
    let where = ''
    /** Topic → why its last heartbeat did not arrive. */
    const failures = new Map<string, Error>()
    const sent =
      (at: string) =>
      (error: Error | null): void =>
        void (error === null ? failures.delete(at) : failures.set(at, error))
    return {
      report(snapshot) {
        const beats = heartbeats(snapshot, topic, services)
        const now = performance.now()
        const news = Object.values(snapshot.services).map((service) => service.news ?? 0)
        const places = [...beats.map((beat) => beat.topic), ...news].join(' ')
        // A job that moves to its control topic is heard there at once, as is what a command changed
        if (now >= due || places !== where) {
          for (const beat of beats) {
            const [only = '', ...others] = beat.services.keys()
            const own = others.length === 0 && Object.hasOwn(names, only) ? names[only] : undefined
            send(producer, beat, snapshot, { name: own ?? name, intervalMs, sent: sent(beat.topic) })
          }
          // Only when all were taken: a failure that lasts is told once
          due = now + intervalMs - 50
          where = places
        }
        for (const error of failures.values()) throw error
      },
      close: () => producer.close()
    }
  }
})

/** Services that answer on the same topic share one heartbeat; a service with several (one per job) has one message each. */
export function heartbeats(
  snapshot: DaemonSnapshot,
  topic: string,
  own: Readonly<Record<string, string>>
): Heartbeat[] {
  const beats: Heartbeat[] = []
  const services = Object.entries(snapshot.services)
  for (const [id, service] of services) {
    const usual = (Object.hasOwn(own, id) ? own[id] : undefined) ?? topic
    for (const { topic: at = usual, content } of service.heartbeats ?? [{ content: service.heartbeat ?? {} }]) {
      let beat = beats.find((other) => other.topic === at && !other.services.has(id))
      if (beat === undefined) beats.push((beat = { topic: at, services: new Map() }))
      beat.services.set(id, { state: service.state, ...content })
    }
  }
  return services.length === 0 ? [{ topic, services: new Map() }] : beats
}

/** `state` and `job_id` are always there, since clients index them without looking. */
export function statusJson(services: ReadonlyMap<string, Content>): Record<string, unknown> {
  const states = Object.fromEntries([...services].map(([id, { state }]) => [id, state]))
  const [first] = services.values()
  const merged: Record<string, unknown> = { state: first?.['state'] ?? 'idle', job_id: '', services: states }
  for (const content of services.values()) {
    const { state, ...rest } = content
    Object.assign(merged, 'job_id' in rest ? { state } : {}, rest)
  }
  return merged
}

function send(
  producer: Producer,
  beat: Heartbeat,
  snapshot: DaemonSnapshot,
  { name, intervalMs, sent }: { name: string; intervalMs: number; sent: (error: Error | null) => void }
): void {
  // A heartbeat that cannot be sent now is worthless later: the next one replaces it
  if (producer.bufferedBytes > 1_000_000)
    throw new CodedError('KAFKA_LOST', 'heartbeats are not taken by Kafka; skipping')
  const status = JSON.stringify(statusJson(beat.services), (_key, item: unknown) =>
    typeof item === 'bigint' ? Number(item) : item
  )
  const builder = new Builder(1024)
  const root = Status.createStatus(
    builder,
    builder.createString(name),
    builder.createString(snapshot.version),
    builder.createString(snapshot.service_id),
    builder.createString(snapshot.host),
    snapshot.pid,
    intervalMs,
    builder.createString(status)
  )
  Status.finishStatusBuffer(builder, root)
  const value = builder.asUint8Array()
  producer.send({ topic: beat.topic, key: snapshot.service_id, value }, sent)
}

export default definePlugin({
  name: 'reporter-x5f2',
  version: '1.0.0',
  api: API,
  summary: 'x5f2 heartbeats.',
  apply: (registry) => registry.reporter(reporter)
})
