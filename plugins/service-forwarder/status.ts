// What the forwarder shows of itself: sums for every status, channels page by page.
import { type Detail, type Snapshot } from '../../core/api/plugin.js'
import { olderName, olderProtocol } from '../../schemas/stream-changes.js'
import { type Board } from './board.js'
import { type Channel, type ChannelCounts } from './channel.js'
import { type ForwarderGroup } from './group.js'
import { metricsOf } from './metrics.js'
import { type Outlet } from './outlet.js'
import { type RouteCounts } from './counts.js'

type Row = Readonly<Record<string, unknown>>

/** Only what is not 0. */
function filled(counts: RouteCounts | ChannelCounts): Row {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0))
}

const isoTime = (ms: number): string | null => (ms === 0 ? null : new Date(ms).toISOString())

/** Rates since the last look, per channel and in all. */
class Rates {
  readonly #seen = new WeakMap<Channel, { updates: number; ms: number }>()

  of(channel: Channel, nowMs: number): number {
    const { updates } = channel.counts
    const before = this.#seen.get(channel)
    if (before !== undefined && nowMs - before.ms < 500) return 0
    this.#seen.set(channel, { updates, ms: nowMs })
    return before === undefined ? 0 : Math.round(((updates - before.updates) * 10_000) / (nowMs - before.ms)) / 10
  }
}

export class ForwarderStatus {
  readonly #rates = new Rates()
  readonly #pageSize: number
  #page = 0
  #rate = { updates_per_s: 0, acknowledged_per_s: 0 }
  #previous = { updates: 0, acknowledged: 0, ms: 0 }

  constructor(
    readonly board: Board,
    readonly outlet: Outlet,
    pageSize: number,
    readonly group?: ForwarderGroup
  ) {
    this.#pageSize = pageSize
  }

  /** The state for the status topics, once per period: rates are those since the call before. */
  snapshot(): Snapshot {
    const nowMs = Date.now()
    const { updates } = this.board.shared.totals
    const { acknowledged } = this.outlet.totals
    const before = this.#previous
    const seconds = before.ms === 0 ? 0 : (nowMs - before.ms) / 1000
    const rate = (now: number, then: number): number =>
      seconds > 0 ? Math.round(((now - then) / seconds) * 10) / 10 : 0
    this.#rate = {
      updates_per_s: rate(updates, before.updates),
      acknowledged_per_s: rate(acknowledged, before.acknowledged)
    }
    this.#previous = { updates, acknowledged, ms: nowMs }
    const page = this.#nextPage([...this.board.channels.values()], nowMs)
    const summary = this.summary()
    return {
      ...summary,
      channels_page: page,
      heartbeat: { streams: this.#streams() },
      metrics: metricsOf(summary),
      details: () => this.#details()
    }
  }

  #details(): Detail[] {
    const { latencies } = this.outlet
    latencies.measured = true
    return [latencies.send.detail('send'), ...[...this.board.channels.values()].flatMap(({ name, latency }) => latency.details(name))] // prettier-ignore
  }

  /** As clients of the Python forwarder read them, with the state of the connection and the last error beside. */
  #streams(): Row[] {
    return [...this.board.specs.values()].map(({ id, channelKey, channel, protocol, topic, schema }) => {
      const open = this.board.channels.get(channelKey)
      const error = open?.entries.get(id)?.route.lastError ?? ''
      return {
        channel_name: channel,
        protocol: olderProtocol(protocol),
        output_topic: topic,
        schema: olderName(schema),
        ...(open === undefined ? {} : { state: open.state }),
        ...(error === '' ? {} : { error })
      }
    })
  }

  /** State and sums. */
  summary(): Snapshot {
    const channels = [...this.board.channels.values()]
    const streams = this.board.specs.size
    return {
      state: this.#state(streams),
      streams,
      channels: channels.length,
      connected: channels.filter(({ connection }) => connection === 2).length,
      ...this.board.shared.totals,
      ...this.outlet.totals,
      skipped: Object.fromEntries(this.board.shared.converters.skipped),
      ...this.#rate,
      buffered_bytes: this.outlet.producer.bufferedBytes,
      kept_bytes: this.outlet.keptBytes,
      waiting_routes: this.outlet.waitingRoutes,
      overloads: this.outlet.overloads,
      sent_bytes: this.outlet.sentBytes,
      ...(this.board.missingTopics.size === 0 ? {} : { missing_topics: [...this.board.missingTopics].slice(0, 100) }),
      ...(this.outlet.open
        ? {}
        : { not_ready: ['the buffer for Kafka is full: the newest value of each stream wins'] }),
      ...this.#members()
    }
  }

  #state(streams: number): string {
    if (!this.board.shared.context.kafka.connected) return 'waiting for Kafka'
    return streams === 0 ? 'idle' : this.outlet.open ? 'forwarding' : 'overloaded'
  }

  #members(): Row {
    if (this.group === undefined) return {}
    const { members } = this.group.share
    const { names = [], self = null, isLeader = false, generation = null } = members ?? {}
    return { group: { name: this.group.options.group, members: names, self, leader: isLeader, generation } }
  }

  /** Channels `page * size` and on, as rows. */
  page(channels: readonly Channel[], page: number, size: number): Row {
    const nowMs = Date.now()
    const rows = channels.slice(page * size, (page + 1) * size).map((channel) => this.#row(channel, nowMs))
    return { page, pages: Math.ceil(channels.length / size), total: channels.length, channels: rows }
  }

  #nextPage(channels: readonly Channel[], nowMs: number): Row {
    const size = this.#pageSize
    const pages = size === 0 ? 0 : Math.ceil(channels.length / size)
    if (pages === 0) return { page: 0, pages, channels: [] }
    const page = this.#page % pages
    this.#page = page + 1
    const rows = channels.slice(page * size, (page + 1) * size).map((channel) => this.#row(channel, nowMs))
    return { page, pages, channels: rows }
  }

  #row(channel: Channel, nowMs: number): Row {
    const { last } = channel
    return {
      channel: channel.name,
      protocol: channel.protocol,
      state: channel.state,
      last_update: isoTime(channel.lastUpdateMs),
      severity: last?.alarm.severity ?? null,
      updates_per_s: this.#rates.of(channel, nowMs),
      ...filled(channel.counts),
      streams: [...channel.entries.values()].map(({ route }) => ({
        schema: route.options.schema,
        topic: route.topic,
        ...(route.options.sourceName === channel.name ? {} : { source_name: route.options.sourceName }),
        ...filled(route.counts),
        ...(route.skipped.size === 0 ? {} : { skipped: Object.fromEntries(route.skipped) }),
        ...(route.lastError === '' ? {} : { last_error: route.lastError })
      }))
    }
  }
}
