// Reporter: the status messages of the file writer of 2017–2020, for programs that still read them.
import { API, definePlugin, defineReporter, type DaemonSnapshot, type JobInfo, pace } from '../../core/api/plugin.js'

type Rows = readonly (readonly [topic: string, messages: number, bad: number])[]

const reporter = defineReporter({
  id: 'filewriter-2018',
  summary: 'Sends filewriter_status_master and stream_master_status as the file writer of 2017–2020 did.',
  config: {
    type: 'object',
    additionalProperties: false,
    properties: {
      topic: { type: 'string', pattern: '^[a-zA-Z0-9._-]{1,249}$', description: 'Topic; default `status.topic`.' },
      interval_ms: { type: 'integer', minimum: 100, default: 2000, description: 'Time between messages.' }
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
        for (const message of statusMessages(snapshot, intervalMs))
          producer.send({ topic, key: snapshot.service_id, value: JSON.stringify(message) })
      },
      close: () => producer.close()
    }
  }
})

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0)
const writing = (job: JobInfo): boolean => job['service'] === 'filewriter' && job['ended'] === null

/** The message about the daemon, then one for each job that runs. */
export function statusMessages(snapshot: DaemonSnapshot, intervalMs: number): Readonly<Record<string, unknown>>[] {
  const jobs = snapshot.jobs.filter(writing)
  const files: Readonly<Record<string, unknown>> = Object.fromEntries(
    jobs.map((job) => [String(job['job_id']), { filename: job['file_name'], topics: topicsOf(job) }])
  )
  const master = { type: 'filewriter_status_master', service_id: snapshot.service_id, files }
  return [master, ...jobs.map((job) => streamMaster(job, snapshot, intervalMs))]
}

function topicsOf(job: JobInfo): Readonly<Record<string, unknown>> {
  const rows = (job['topics'] ?? []) as Rows
  return Object.fromEntries(
    rows.map(([topic, messages, bad]) => [
      topic,
      {
        messages_processed: messages,
        error_message_too_small: 0,
        error_no_flatbuffer_reader: bad,
        error_no_source_instance: 0
      }
    ])
  )
}

function streamMaster(job: JobInfo, { time }: DaemonSnapshot, intervalMs: number): Readonly<Record<string, unknown>> {
  const timestamp = Date.parse(time)
  return {
    type: 'stream_master_status',
    job_id: job['job_id'],
    next_message_eta_ms: intervalMs,
    timestamp,
    stream_master: {
      state: 'Writing',
      messages: numberOf(job['messages']),
      Mbytes: numberOf(job['bytes']) / 1e6,
      errors: numberOf(job['bad']),
      runtime: timestamp - Date.parse(String(job['started']))
    },
    streamer: {}
  }
}

export default definePlugin({
  name: 'reporter-filewriter-2018',
  version: '1.0.0',
  api: API,
  summary: 'Status messages of the file writer of 2017–2020.',
  apply: (registry) => registry.reporter(reporter)
})
