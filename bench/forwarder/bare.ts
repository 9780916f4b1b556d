// A client alone, as the yardstick's lower bound: source-epics without converters and without Kafka.
// bare.js ca|pva SEARCH_ADDRESS WARM_UP_S SECONDS, names on stdin; prints one JSON line and ends.
import { text } from 'node:stream/consumers'
import { loadPlugins } from '../../core/loader.js'
import { type Context } from '../../core/api/plugin.js'
import { Latencies } from './audit.js'
import { type SourcePart } from '../../schemas/index.js'

const [protocol = 'ca', address = '', warmUp = '3', seconds = '10'] = process.argv.slice(2)
const names = (await text(process.stdin)).split('\n').filter(Boolean)
const search = { addr_list: [address], auto_addr_list: false }
const plugins = [{ use: 'source-epics', options: { [protocol]: search } }]
const loaded = await loadPlugins({ plugins, baseFolder: '.' })
const source = loaded.host.part('source', protocol) as SourcePart
const context: Context = {
  jobId: 'bare',
  signal: new AbortController().signal,
  log: (level, message) => void process.stderr.write(`${level}: ${message}\n`),
  count: () => undefined
}

const latencies = new Latencies()
let updates = 0
let isMeasuring = false
const clockNs = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint()
for (const channel of names)
  source.open({ channel }, context, ({ kind, timestampNs }) => {
    if (!isMeasuring || kind !== 'value') return
    updates++
    latencies.add(Number(process.hrtime.bigint() + clockNs - timestampNs) / 1e6)
  })
setTimeout(() => (isMeasuring = true), Number(warmUp) * 1000)
setTimeout(
  () => {
    const { user, system } = process.cpuUsage()
    process.stdout.write(
      `${JSON.stringify({ updates, cpuS: (user + system) / 1e6, latencyMs: latencies.summary() })}\n`
    )
    process.exit(0)
  },
  (Number(warmUp) + Number(seconds)) * 1000
)
