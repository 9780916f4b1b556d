// Another daemon of the same name: both would answer the same commands and overwrite each other's place in lists of daemons.
import { type DaemonSnapshot, type Kafka, type ServiceContext } from '../../core/api/plugin.js'

type Self = Pick<DaemonSnapshot, 'service_id' | 'host' | 'pid'>

/** Listens to the topic of statuses from now on until `signal`; warns once of each other daemon with our service id. Never rejects. */
export async function listenForTwins(
  kafka: Kafka,
  topic: string,
  self: Self,
  log: ServiceContext['log'],
  signal: AbortSignal
): Promise<void> {
  const known = new Set<string>()
  const hear = (value: Buffer | null): void => {
    const twin = value === null ? undefined : twinIn(value, self)
    const name = `${twin?.host} ${twin?.pid}`
    if (twin === undefined || known.has(name)) return
    known.add(name)
    log('warn', `another daemon calls itself ${self.service_id}, too (host ${twin.host}, pid ${twin.pid}): give each its own daemon.service_id`) // prettier-ignore
  }
  try {
    const [info] = await kafka.topics([topic])
    const ends = await kafka.offsets(topic, info?.partitions ?? [], 'latest')
    if (signal.aborted || ends.size === 0) return
    const assign = [...ends].map(([partition, offset]) => ({ topic, partition, offset }))
    const reader = kafka.reader({ assign, signal })
    for (let batch = await reader.next(); batch !== null; batch = await reader.next()) {
      for (let i = 0; i < batch.count; i++) hear(batch.value(i))
      batch.release()
    }
  } catch {
    // A look at others is no reason to fail; what is wrong with the topic is told by those who need it
  }
}

/** Only what names us is parsed: the statuses of others may be large and many. */
function twinIn(value: Buffer, { service_id: id, host, pid }: Self): Self | undefined {
  if (value[0] !== 0x7b || !value.includes(id)) return undefined
  try {
    const said = JSON.parse(value.toString()) as Partial<DaemonSnapshot>
    const isTwin = said.type === 'nexstream_status' && said.service_id === id && said.state !== 'stopped'
    return isTwin && (said.pid !== pid || said.host !== host) ? (said as Self) : undefined
  } catch {
    return undefined
  }
}
