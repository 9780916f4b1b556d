import assert from 'node:assert/strict'
import { defineTool } from '../../core/api/plugin.js'
import { Host } from '../../core/host.js'
import { createProgram } from './program.js'
import { loadTools } from './program-plugins.js'

describe('cli: what plugins bring', () => {
  it('refuses a tool that has the name of a sub-command, naming its plugin', async () => {
    const own = await loadTools()
    for (const id of ['tail', 'help', 'check']) {
      const host = new Host()
      const tool = defineTool({ id, summary: 'test', load: () => Promise.resolve(() => 0) })
      host.registryFor('mine').tool(tool)
      const loaded = { host, plugins: [], close: () => Promise.resolve() }
      const brought = { loaded, tools: [tool], files: [], commands: [] }
      assert.throws(() => createProgram(undefined, brought, own), { code: 'PLUGIN_DUPLICATE_ID', message: /plugin mine: .*exists already/ }) // prettier-ignore
    }
  })
})
