// Another daemon of the same name: both would answer the same commands and overwrite each other's place in lists of daemons.
import { type DaemonSnapshot, type Kafka } from './api/plugin.js'
import { hearAll, type HeardMessage } from './hear.js'
import { type Log } from './log.js'
import { placesOf } from './places.js'

type Self = Pick<DaemonSnapshot, 'service_id' | 'host' | 'pid'>

/** Listens to the status topic from now on until `signal`; warns once of each other daemon with our service id. Never rejects. */
export async function listenForTwins(
  kafka: Kafka,
  topic: string,
  self: Self,
  log: Log,
  signal: AbortSignal
): Promise<void> {
  const known = new Set<string>()
  try {
    const places = await placesOf(kafka, topic, 'latest')
    if (signal.aborted) return
    const hear = ({ value }: HeardMessage): void => {
      const twin = twinIn(value, self)
      const name = `${twin?.host} ${twin?.pid}`
      if (twin === undefined || known.has(name)) return
      known.add(name)
      log('warn', `another daemon calls itself ${self.service_id}, too (host ${twin.host}, pid ${twin.pid}): give each its own daemon.service_id`) // prettier-ignore
    }
    await hearAll(kafka.reader({ assign: places, signal }), { places, ends: undefined, hear, log: () => undefined })
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
