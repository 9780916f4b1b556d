// What `nexstream check` is told about commands: all that is wrong with their structures.
import { type Command, type Finding, type PartLookup, type ToolFlags } from '../../core/api/plugin.js'
import { checkStructure } from './structure/structure.js'
import { templateOf } from './tools/index.js'

export async function inspect(
  _options: unknown,
  command: Command | undefined,
  parts: PartLookup,
  flags: ToolFlags
): Promise<readonly Finding[]> {
  if (command?.cmd !== 'start') return []
  const at = '/nexus_structure'
  return checkStructure(command['nexus_structure'], parts, { at, ...(await templateOf(flags)) }).findings
}
