// `nexstream repair`: makes a file readable that a crash left unfinished, and says what was done.
import { repair as repairFile } from '../file/repair.js'
import { print, printJson, say } from '../../../core/cli/io.js'

export interface RepairFlags {
  readonly json?: boolean
}

export async function repair(file: string, flags: RepairFlags): Promise<void> {
  const result = await repairFile(file)
  if (flags.json === true) await printJson({ file, ...result })
  else
    for (const line of result.actions.length > 0 ? result.actions : ['is good, nothing was changed'])
      await print(`${file}: ${line}`)
  for (const note of result.notes) say(`${file}: ${note}`)
}
