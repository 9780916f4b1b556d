// `nexstream repair`: makes a file readable that a crash left unfinished, and says what was done.
import { type ToolFlags, type ToolContext } from '../../../core/api/plugin.js'
import { meter } from '../../tools-daemon/tool-kit.js'
import { sizeOf } from '../file/summary.js'
import { repair as repairFile } from '../file/repair.js'

export default async function repair(
  [file = '']: readonly (string | undefined)[],
  flags: ToolFlags,
  context: ToolContext
): Promise<void> {
  const { print, printJson, progress, say } = context
  sizeOf(file) // What is no file is no damaged one
  const show = meter(context, 'datasets')
  const result = await repairFile(file, (done, total) => show(() => ({ done, total }))).finally(() => progress(''))
  if (flags['json'] === true) await printJson({ file, ...result })
  else
    for (const line of result.actions.length > 0 ? result.actions : ['is good, nothing was changed'])
      await print(`${file}: ${line}`)
  for (const note of result.notes) say(`${file}: ${note}`)
}
