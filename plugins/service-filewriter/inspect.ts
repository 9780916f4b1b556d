// What `nexstream check` is told about commands: all that is wrong with their structures.
import { type Command, type Finding, type PartLookup, type ToolFlags } from '../../core/api/plugin.js'
import { type Flavour, isFlavour } from './structure/flavour.js'
import { checkStructure } from './structure/structure.js'
import { templateOf } from './tools/index.js'

export async function inspect(
  options: { readonly flavour?: Flavour },
  command: Command | undefined,
  parts: PartLookup,
  flags: ToolFlags
): Promise<readonly Finding[]> {
  if (command?.cmd !== 'start') return []
  const at = '/nexus_structure'
  const flavour = isFlavour(command['flavour']) ? command['flavour'] : options.flavour
  return checkStructure(command['nexus_structure'], parts, { at, flavour, ...(await templateOf(flags)) }).findings
}
