// Plugin tools-dev: a facility in one terminal, and a broker alone, for trying things.
import { API, definePlugin, defineTool } from '../../core/api/plugin.js'

const tools = [
  defineTool({
    id: 'dev',
    summary: 'a whole facility in this terminal: broker, IOC, virtual instrument, daemon, page; until Ctrl-C',
    common: [],
    options: [
      {
        flags: '-b, --brokers <list>',
        summary: 'host:port,…; default $NEXSTREAM_BROKERS, else one of its own by Docker, else by Java'
      },
      {
        flags: '--facility <kind>',
        summary:
          'amor (a reflectometer), isis (boards, aggregator, a file as of ISIS) or muons (digitisers, events, frames)',
        standard: 'amor'
      },
      { flags: '--instrument <name>', summary: 'its topics begin with it', standard: 'DEMO' },
      {
        flags: '--data <folder>',
        summary: 'where files, config and what the broker has stay for the next time; default: nowhere'
      },
      { flags: '--events <n>', summary: 'events of each pulse; default of amor 1000, of isis 600, of muons 64' },
      { flags: '--page-port <n>', summary: 'where its page is; 0: anywhere; default 9465, or any that is free' },
      { flags: '--for <duration>', summary: 'end by itself after so long, e.g. 30s, 10min' }
    ],
    helpBelow:
      '\nIts broker comes from Docker, or from Java >= 17 and Maven; its IOC from Python 3.11 or 3.12 with venv, without which channels are simulated.' +
      '\nWhat it needs is fetched the first time, into ~/.cache/nexstream or $NEXSTREAM_CACHE.',
    load: async () => (await import('./dev.js')).default
  }),
  defineTool({
    id: 'kafka',
    summary: 'run a Kafka broker in the foreground, for trying things',
    options: [
      { flags: '--port <n>', summary: 'where it listens on 127.0.0.1', standard: '9092' },
      { flags: '--data <folder>', summary: 'where the data stay for the next time; default: nowhere' }
    ],
    common: [],
    load: async () => (await import('./kafka.js')).default
  })
]

export default definePlugin({
  name: 'tools-dev',
  version: '1.0.0',
  api: API,
  summary: 'Runs a whole facility (dev) or a Kafka alone (kafka) on one machine, for trying things.',
  apply(registry) {
    for (const tool of tools) registry.tool(tool)
  }
})
