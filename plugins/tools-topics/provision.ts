// `nexstream provision`: makes the topics of the config for an instrument; safe to repeat.
import { CodedError, type ToolRun } from '../../core/api/plugin.js'
import { table } from '../tools-daemon/tool-kit.js'
import { provision as bring } from './admin/topics.js'
import { wantedTopics } from './wanted-topics.js'

const provision: ToolRun = async ([instrument], flags, context) => {
  const config = context.config()
  const wanted = wantedTopics(config, instrument ?? config.daemon.instrument)
  if (wanted.length === 0)
    throw new CodedError(
      'CLI_USAGE',
      "the config names no topics; give --config FILE with a '[[topics]]' table, or a command or status topic"
    )
  const dryRun = flags['dryRun'] === true
  const target = context.connect()
  const results = await bring(target, wanted, { dryRun }).finally(() => target.kafka.close())
  if (flags['json'] === true) for (const result of results) await context.printJson(result)
  else
    await context.print(
      table(context, [
        ['topic', 'action', 'changes'],
        ...results.map((r) => [r.name, dryRun ? `would be ${r.action}` : r.action, r.changes.join(', ')])
      ])
    )
}

export default provision
