// Plugin tools-recording: topics into files (MCAP), and back.
import { API, definePlugin, defineTool } from '../../core/api/plugin.js'
import { errors } from './errors.js'

const moments = 'ISO 8601, 10:30, yesterday (UTC without a zone), ms, now, -5min'

const tools = [
  defineTool({
    id: 'record',
    summary: 'record topics into a file (MCAP) that others read, too; until Ctrl-C unless --to is given',
    usesKafka: true,
    arguments: [
      { name: 'topics', summary: 'topics; the first may be host:port/topic, which names the brokers', several: true }
    ],
    options: [
      { flags: '-o, --output <file>', summary: 'file to write, NAME.mcap; nothing is overwritten', required: true },
      { flags: '--from <moment>', summary: `from this moment on: start (all there is), ${moments}; default now` },
      { flags: '--to <moment>', summary: 'up to this moment, which may lie ahead; default until Ctrl-C' },
      { flags: '--compression <name>', summary: 'zstd, lz4 or none', standard: 'zstd' }
    ],
    load: async () => (await import('./record.js')).default
  }),
  defineTool({
    id: 'play',
    summary: 'send a recording, a NeXus file or a span of a topic into topics at the pace of its times',
    usesKafka: true,
    arguments: [
      {
        name: 'source',
        summary:
          'recording (NAME.mcap), NeXus file (NAME.nxs, .h5, .hdf), capture (NAME.pcap), host:port/topic, or the topic when brokers are known'
      }
    ],
    options: [
      {
        flags: '--udp <host:port>',
        summary:
          'send raw packets by UDP: of a capture (NAME.pcap, .pcapng), or raw copies (ar51) of a recording or topic'
      },
      { flags: '--port <n>', summary: 'of a capture: only what went to this port' },
      {
        flags: '--into <address>',
        summary: 'host:port to play into; default --brokers, the config, or where a topic comes from'
      },
      { flags: '--to-prefix <text>', summary: 'put before the names of the topics that are played into' },
      { flags: '--map <list>', summary: 'FROM=TO,FROM=TO: topics that are played into others' },
      { flags: '--topic <list>', summary: 'only these topics of a recording, e.g. a,b; of a NeXus file: events, logs' },
      { flags: '--source <list>', summary: 'only messages of these sources, e.g. a,b' },
      { flags: '--from <moment>', summary: `only what is of this moment or later: ${moments}` },
      { flags: '--to <moment>', summary: 'only what is of this moment or earlier' },
      { flags: '--speed <n>', summary: 'so many times as fast, or max', standard: '1' },
      { flags: '--shift <moment>', summary: 'now: times become those of now, inside the messages, too' },
      {
        flags: '--write-command <file>',
        summary: 'of a NeXus file: a start command (structure, times) that writes it again'
      },
      {
        flags: '--seed <n>',
        summary: 'of a NeXus file with histograms only: the same number makes the same events',
        standard: '1'
      },
      { flags: '--over <time>', summary: 'of the same: how long its measurement takes', standard: '10s' },
      { flags: '--loop', summary: 'again and again until Ctrl-C' }
    ],
    load: async () => (await import('./play.js')).default
  })
]

export default definePlugin({
  name: 'tools-recording',
  version: '1.0.0',
  api: API,
  errors,
  summary: 'Records topics into files (MCAP) and plays them.',
  apply(registry) {
    for (const tool of tools) registry.tool(tool)
  }
})
