// Plugin tools-recording: topics into files (MCAP).
import { API, definePlugin, defineTool } from '../../core/api/plugin.js'
import { errors } from './errors.js'

const moments = 'ISO 8601 (UTC without a zone), ms, now, -5min'

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
  })
]

export default definePlugin({
  name: 'tools-recording',
  version: '1.0.0',
  api: API,
  errors,
  summary: 'Records topics into files (MCAP).',
  apply(registry) {
    for (const tool of tools) registry.tool(tool)
  }
})
