// Plugin tools-init: the first files of an instrument.
import { API, definePlugin, defineTool } from '../../core/api/plugin.js'
import { roles } from './answers.js'

const init = defineTool({
  id: 'init',
  summary:
    'write the first files of an instrument: config with topics, a structure, a systemd unit; asks what it is not told',
  common: [],
  arguments: [{ name: 'folder', summary: 'where they go; default: here', optional: true }],
  options: [
    { flags: '--instrument <name>', summary: 'its topics begin with it' },
    { flags: '-b, --brokers <list>', summary: 'host:port,…' },
    { flags: '--roles <list>', summary: `what the daemon does: ${roles.join(', ')}` },
    {
      flags: '--pvs <list>',
      summary:
        'PVs to forward; with their protocol as in pva://NAME, else Channel Access; sim://NAME is made up; "" for none'
    },
    { flags: '--detector <name>', summary: 'source name of the detector events; "" for none' },
    { flags: '-y, --yes', summary: 'ask nothing: take the usual for what is not told' },
    { flags: '--force', summary: 'write over files that are there' }
  ],
  helpBelow: '\nNothing is written over, and nothing is written at all when one of the files is there already.',
  load: async () => (await import('./init.js')).default
})

export default definePlugin({
  name: 'tools-init',
  version: '1.0.0',
  api: API,
  summary: 'Writes the first files of an instrument (init).',
  apply(registry) {
    registry.tool(init)
  }
})
