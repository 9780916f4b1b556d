import assert from 'node:assert/strict'
import { defineTool } from '../../core/api/plugin.js'
import { Host } from '../../core/host.js'
import { loadPlugins } from '../../core/loader.js'
import { packageRoot } from '../../core/root.js'
import { allCommands } from '../../docs/generate/cli-page.js'
import { createProgram } from './program.js'
import { broughtBy, loadTools } from './program-plugins.js'

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

  it('fits every help into 80 columns, but for commands to copy', async () => {
    const [own, loaded] = [await loadTools(), await loadPlugins({ plugins: [], baseFolder: packageRoot })]
    const commands = allCommands(createProgram(undefined, await broughtBy(loaded), own))
    await loaded.close()
    await own.close()
    assert.ok(commands.length > 60, String(commands.length))
    const wide = commands.flatMap(({ name, command }) => {
      let text = ''
      command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 80, getOutHasColors: () => false }) // prettier-ignore
      command.outputHelp()
      return text.split('\n').filter((line) => line.length > 80 && !/^\s+(\{"cmd"|nexstream )/.test(line)).map((line) => `${name}: ${line}`) // prettier-ignore
    })
    assert.deepEqual(wide, [])
  })
})
