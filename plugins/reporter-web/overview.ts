// What the page shows of the daemon as a whole: a card for each service, funnels, jobs. Made from the snapshot, with rates.
import { type DaemonSnapshot, type JobInfo, type Snapshot } from '../../core/api/plugin.js'
import { funnelsOf } from './funnels.js'
import { diagnosticsOf, ratesOf } from './rates.js'
import { type OverviewView, type ServiceCard } from './wire.js'

const number = (value: unknown): number => (typeof value === 'number' ? value : 0)
const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)

/** A service as a card; its metrics give the figures that its status does not say. */
function cardOf(id: string, service: Snapshot, jobs: readonly JobInfo[]): ServiceCard {
  const trouble = text(service['trouble']) ?? text(service['error'])
  const running = jobs.filter((job) => job['service'] === id && job['ended'] === null).length
  const metric = (name: string): number => (service.metrics ?? []).reduce((total, { name: own, value }) => total + (own === name ? value : 0), 0) // prettier-ignore
  const figure = (name: string, value: number | string, unit = ''): ServiceCard['figures'][number] => ({
    name,
    value,
    unit
  })
  const { state } = service
  const isBad = ['faulty', 'failed', 'stopped'].includes(state) || service['healthy'] === false
  const isWarned = trouble !== null || ['overloaded', 'waiting for Kafka'].includes(state)
  const level = isBad ? 'bad' : isWarned ? 'warn' : state === 'idle' ? 'idle' : 'good'
  return { id, state, level, trouble, figures: figuresOf() }

  function figuresOf(): ServiceCard['figures'] {
    if (id === 'forwarder')
      return [
        figure('channels', `${number(service['connected'])} of ${number(service['channels'])}`, 'connected'),
        figure('updates', number(service['updates_per_s']), '/s'),
        figure('waiting', number(service['buffered_bytes']), 'B')
      ]
    if (id === 'filewriter')
      return [
        figure('jobs', `${running} of ${number(service['max_jobs'])}`),
        figure('behind', metric('nexstream_filewriter_messages_behind'), 'messages'),
        figure('free', number(service['disk_free_bytes']), 'B')
      ]
    if (id === 'histogram')
      return [
        figure('histograms', metric('nexstream_histogram_histograms')),
        figure('behind', metric('nexstream_histogram_messages_behind'), 'messages'),
        figure('events', metric('nexstream_histogram_events_total'))
      ]
    return [figure('jobs', running)]
  }
}

const severity = { bad: 0, warn: 1, good: 2, idle: 3 } as const

export function overviewOf(snapshot: DaemonSnapshot): OverviewView {
  const { services, jobs } = snapshot
  const cards = Object.entries(services).map(([id, service]) => cardOf(id, service, jobs))
  return {
    service_id: snapshot.service_id,
    version: snapshot.version,
    host: snapshot.host,
    state: snapshot.state,
    kafka: snapshot.kafka.connected,
    uptime_s: snapshot.uptime_s,
    interval_ms: snapshot.update_interval_ms,
    time: snapshot.time,
    // Red first
    services: cards.toSorted((a, b) => severity[a.level] - severity[b.level]),
    funnels: funnelsOf(snapshot),
    jobs,
    rates: ratesOf(snapshot),
    diagnostics: diagnosticsOf(snapshot),
    faults: snapshot.plugin_errors ?? [],
    not_understood: snapshot.not_understood ?? {}
  }
}
