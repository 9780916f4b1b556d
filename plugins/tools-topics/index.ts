// Plugin tools-topics: sub-commands that look into Kafka's topics, and make them.
import { API, definePlugin, defineTool, type ToolArgument, type ToolOption } from '../../core/api/plugin.js'

const address: readonly ToolArgument[] = [
  { name: 'address', summary: 'host:port/topic, or only the topic when the brokers are known', optional: true }
]
const origin: readonly ToolArgument[] = [
  {
    name: 'address',
    summary: 'host:port/topic, the topic when the brokers are known, or a recording (NAME.mcap)',
    optional: true
  }
]
const ofRecording: ToolOption = { flags: '--topic <topic>', summary: 'only this topic of a recording' }
const span: readonly ToolOption[] = [
  {
    flags: '-n, --last <n>',
    summary: 'the last n; those that fit a filter are searched in the last 10000 of each partition'
  },
  { flags: '--offset <n>', summary: 'from this offset on' },
  {
    flags: '--time <moment>',
    summary: 'from this moment on: ISO 8601, 10:30, yesterday (UTC without a zone), ms, now, -5min'
  },
  { flags: '--to <moment>', summary: 'up to this moment' },
  { flags: '-p, --partition <n>', summary: 'only this partition' },
  ofRecording
]
const watch: ToolOption = { flags: '-w, --watch', summary: 'go on and repaint; with --json print what comes' }

const tools = [
  defineTool({
    id: 'tail',
    summary: 'print messages, decoded; the last 10 unless told otherwise',
    usesKafka: true,
    arguments: origin,
    options: [
      ...span,
      { flags: '-f, --follow', summary: 'go on with what arrives' },
      { flags: '--filter <ids>', summary: 'only these schema ids, e.g. f142,ev44' },
      { flags: '--source <name>', summary: 'only messages of this source' },
      { flags: '--key <key>', summary: 'only messages with this key' },
      { flags: '--raw', summary: 'JSON lines with the bytes of the messages in base64: what `make-file` reads' }
    ],
    load: async () => (await import('./tail.js')).default
  }),
  defineTool({
    id: 'topics',
    summary:
      'list topics with the counts, leaders, replicas and offsets of their partitions, or the groups that read them',
    usesKafka: true,
    arguments: address,
    options: [{ flags: '--groups', summary: 'consumer groups with their offsets, and how far behind they are' }],
    load: async () => (await import('./topics.js')).default
  }),
  defineTool({
    id: 'sources',
    summary: 'list who writes to a topic: schema, count, rate, last content',
    usesKafka: true,
    arguments: origin,
    options: span,
    load: async () => (await import('./sources.js')).default
  }),
  defineTool({
    id: 'count',
    summary: 'count the messages of a topic',
    usesKafka: true,
    arguments: origin,
    options: [
      {
        flags: '--time <moment>',
        summary: 'from this moment on: ISO 8601, 10:30, yesterday (UTC without a zone), ms, now, -5min'
      },
      { flags: '--to <moment>', summary: 'up to this moment' },
      ofRecording,
      { flags: '-f, --follow', summary: 'print the rate every second' }
    ],
    load: async () => (await import('./count.js')).default
  }),
  defineTool({
    id: 'pvs',
    summary: 'table of the newest value, alarm and connection of every source of a topic',
    usesKafka: true,
    arguments: origin,
    options: [watch],
    load: async () => (await import('./pvs.js')).default
  }),
  defineTool({
    id: 'decode',
    summary: 'print message values in files, and the messages of recordings, as JSON lines',
    arguments: [
      {
        name: 'files',
        summary: 'each file is one message value, or a recording (NAME.mcap); - is standard input',
        several: true
      }
    ],
    load: async () => (await import('./decode.js')).default
  }),
  defineTool({
    id: 'produce',
    summary: 'send messages into a topic, from JSON lines as `tail --json` and `tail --raw` print them',
    usesKafka: true,
    arguments: [
      { name: 'address', summary: 'host:port/topic, or only the topic when the brokers are known' },
      {
        name: 'file',
        summary:
          'JSON lines, default standard input: {"file_identifier": "f144", "message": {…}}, {"file_identifier": "json", "message": …} or {"value": base64}, each with or without "key"',
        optional: true
      }
    ],
    options: [{ flags: '-p, --partition <n>', summary: 'into this partition; default by key' }],
    load: async () => (await import('./produce.js')).default
  }),
  defineTool({
    id: 'provision',
    summary: 'make all topics of the config; never takes any away',
    usesKafka: true,
    arguments: [
      {
        name: 'instrument',
        summary: 'put in place of {instrument} in topic names; default daemon.instrument',
        optional: true
      }
    ],
    options: [{ flags: '--dry-run', summary: 'only show what would be done' }],
    load: async () => (await import('./provision.js')).default
  }),
  defineTool({
    id: 'jobs',
    summary: 'list the running and the last jobs',
    usesKafka: true,
    arguments: [{ name: 'job', summary: 'only this job', optional: true }],
    options: [
      { flags: '--topic <topic>', summary: 'command topic; default that of the config' },
      { flags: '--reply-topic <topic>', summary: 'topic of the answers; default that of the config' }
    ],
    load: async () => (await import('./jobs.js')).default
  }),
  defineTool({
    id: 'status',
    summary: 'show the daemons that report, their services and jobs',
    usesKafka: true,
    options: [{ flags: '--topic <topic>', summary: 'status topic; default that of the config' }, watch],
    load: async () => (await import('./status.js')).default
  })
]

export default definePlugin({
  name: 'tools-topics',
  version: '1.0.0',
  api: API,
  summary:
    'Looks into topics (tail, topics, sources, count, pvs, status, jobs, decode), fills (produce) and makes them (provision).',
  apply(registry) {
    for (const tool of tools) registry.tool(tool)
  }
})
