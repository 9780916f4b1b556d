// Plugin tools-pvs: EPICS PVs at the command line, without Kafka.
import { API, definePlugin, defineTool, type ToolArgument, type ToolOption } from '../../core/api/plugin.js'

const pvs: readonly ToolArgument[] = [
  { name: 'pvs', summary: 'NAME, ca://NAME or pva://NAME; sim://NAME is simulated', several: true }
]
const options: readonly ToolOption[] = [
  { flags: '--protocol <id>', summary: 'of names without one: ca, pva or another source', standard: 'ca' }
]

const pv = defineTool({
  id: 'pv',
  summary: 'values of EPICS PVs, read without Kafka: time, name, value, units, alarm',
  tools: [
    defineTool({
      id: 'get',
      summary: 'print the values of now',
      arguments: pvs,
      options,
      needsPlugins: 'always',
      load: async () => (await import('./pv.js')).get
    }),
    defineTool({
      id: 'monitor',
      summary: 'print every value, and when a PV comes and goes; until Ctrl-C',
      arguments: pvs,
      options: [...options, { flags: '-n, --count <n>', summary: 'end after so many values' }],
      needsPlugins: 'always',
      load: async () => (await import('./pv.js')).monitor
    })
  ],
  needsPlugins: 'always'
})

export default definePlugin({
  name: 'tools-pvs',
  version: '1.0.0',
  api: API,
  summary: 'Reads EPICS PVs without Kafka (pv get, pv monitor).',
  apply(registry) {
    registry.tool(pv)
  }
})
