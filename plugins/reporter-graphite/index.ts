// Reporter: metrics to a Carbon (Graphite) server, in our names or in those of the field's programs.
import { hostname } from 'node:os'
import { API, definePlugin, defineReporter, pace, type ReporterPart } from '../../core/api/plugin.js'
import { ess, type GraphiteLayout, type GraphiteLine, nexstream } from './layouts.js'
import { NetworkSender } from './sender.js'

const layouts: Readonly<Record<'nexstream' | 'ess', GraphiteLayout>> = { nexstream, ess }
const CLOSE_MS = 2000

/** @param senders - those that are open */
const reporter = (senders: Set<NetworkSender>): ReporterPart =>
  defineReporter({
    id: 'graphite',
    summary: 'Sends metrics to a Carbon server (Graphite, plain text over TCP).',
    config: {
      type: 'object',
      additionalProperties: false,
      properties: {
        host: { type: 'string', minLength: 1, default: '127.0.0.1', description: 'Where Carbon is.' },
        port: { type: 'integer', minimum: 1, maximum: 65535, default: 2003, description: 'Its plain text port.' },
        layout: {
          enum: ['nexstream', 'ess'],
          default: 'nexstream',
          description:
            '`nexstream`: all metrics, `nexstream.HOST.SERVICE_ID.METRIC[.LABEL…]`; `ess`: the paths of kafka-to-nexus, of the Python forwarder and of the Event Formation Unit.'
        },
        host_name: {
          type: 'string',
          minLength: 1,
          description: 'HOST in the paths; default the name of this machine. The peers have the full name.'
        },
        interval_ms: { type: 'integer', minimum: 100, default: 10_000, description: 'Time between two sets of lines.' },
        queue_lines: {
          type: 'integer',
          minimum: 100,
          default: 100_000,
          description: 'Lines that may wait for a server that is away; of more the oldest are dropped.'
        }
      }
    },
    open({ host, port, layout, host_name: name = hostname(), interval_ms: intervalMs, queue_lines: most }, context) {
      const told = (level: 'warn' | 'info', message: string): void => context.log(level, `Carbon at ${message}`)
      const sender = new NetworkSender({ host, port, most, told })
      senders.add(sender)
      const isDue = pace(intervalMs)
      return {
        report(snapshot) {
          if (!isDue()) return
          for (const line of toText(layouts[layout](snapshot, name), Date.now())) sender.push(Buffer.from(line))
        },
        async close() {
          await sender.close(CLOSE_MS)
          senders.delete(sender)
        }
      }
    }
  })

/** `path value unix_seconds`, a line each. */
export function toText(lines: readonly GraphiteLine[], nowMs: number): string[] {
  const seconds = Math.floor(nowMs / 1000)
  return lines.map(([path, value]) => `${path} ${value} ${seconds}\n`)
}

export default definePlugin({
  name: 'reporter-graphite',
  version: '1.0.0',
  api: API,
  summary: 'Metrics for Graphite (Carbon).',
  apply(registry) {
    const senders = new Set<NetworkSender>()
    registry.reporter(reporter(senders))
    registry.hooks.snapshot.tap('reporter-graphite', (snapshot) => {
      const [sender] = senders
      if (sender === undefined) return snapshot
      return { ...snapshot, outlets: { ...snapshot.outlets, graphite: sender.outlet } }
    })
  }
})
