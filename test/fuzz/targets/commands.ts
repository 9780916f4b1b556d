// Commands: bytes through every dialect, and what they mean checked against the commands there are.
import { loadCommands, loadDialects, understand } from '../../../core/commands.js'
import { loadPlugins } from '../../../core/loader.js'
import { CodedError, BadMessage } from '../../../core/api/plugin.js'
import { packageRoot } from '../../../core/root.js'
import { encodeMessage } from '../../../schemas/index.js'
import { goldens } from '../../support/converters.js'
import { promise, type Target } from '../target.js'

const { host } = await loadPlugins({ plugins: [], baseFolder: packageRoot })
const commands = await loadCommands(host)
const dialects = [...(await loadDialects(host)).values()]
const structure = { children: [{ type: 'group', name: 'entry', children: [{ module: 'f144', config: { topic: 't', source: 's' } }] }] } // prettier-ignore

export default {
  isText: true,
  maxSteps: 1_000_000,
  seeds: () => [
    ...commands.flatMap(({ cmd, service, examples = [] }) => (examples as readonly object[]).map((example) => Buffer.from(JSON.stringify({ cmd, service, ...example })))), // prettier-ignore
    ...goldens()
      .filter(({ id }) => ['pl72', '6s4t', 'fc00', 'rf5k'].includes(id))
      .map(({ bytes }) => bytes),
    encodeMessage('pl72', { job_id: 'j', filename: 'f', nexus_structure: JSON.stringify(structure), start_time: 1n }),
    ...[
      { cmd: 'FileWriter_new', job_id: 'j', broker: 'b:9092', file_attributes: { file_name: 'a.nxs' }, nexus_structure: structure, start_time: 5, use_hdf_swmr: false }, // prettier-ignore
      { cmd: 'FileWriter_stop', job_id: 'j', stop_time: 7, service_id: 's' },
      { cmd: 'file_writer_tasks_clear_all' },
      { cmd: 'add', streams: [{ channel: 'A', channel_provider_type: 'ca', converter: [{ schema: 'f142', topic: '//b/t' }] }] }, // prettier-ignore
      { cmd: 'stop_channel', channel: 'A' },
      { cmd: 'stop_all' },
      { cmd: 'exit' }
    ].map((one) => Buffer.from(JSON.stringify(one)))
  ],
  run: (input) => {
    for (const dialect of dialects) {
      let command: unknown
      try {
        command = dialect.decode(input)
      } catch (error) {
        if (error instanceof CodedError || error instanceof BadMessage) continue
        throw error
      }
      if (command === undefined) continue
      const { found, findings } = understand(structuredClone(command), commands, () => true)
      promise(found !== undefined || findings.length > 0, 'no command and no reason')
      for (const { path, message } of findings)
        promise(typeof path === 'string' && message !== '', 'a finding without words')
    }
  },
  allows: () => false
} satisfies Target
