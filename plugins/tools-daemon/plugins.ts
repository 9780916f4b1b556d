// `nexstream plugins`: what is loaded, and the options of each part.
import { CodedError, meant, type ToolRun } from '../../core/api/plugin.js'
import { optionRows } from './schema-table.js'
import { table } from './tool-kit.js'

/** `plugins list`: plugins and what each brings. */
export const list: ToolRun = async (_args, flags, context) => {
  const { plugins, print, printJson } = context
  const shown = (await plugins()).map((plugin) => ({
    ...plugin,
    parts: plugin.parts.map(({ kind, id }) => `${kind} ${id}`)
  }))
  if (flags['json'] === true) for (const plugin of shown) await printJson(plugin)
  else {
    const rows = shown.map((p) => [p.name, p.version, p.parts.join(', '), p.summary])
    await print(table(context, [['plugin', 'version', 'brings', 'summary'], ...rows]))
  }
}

/** `plugins docs [ID]`: the options of the parts of this id (or all). */
export const docs: ToolRun = async ([id], flags, context) => {
  const { bold, plugins, print, printJson } = context
  const all = (await plugins()).flatMap(({ name: plugin, parts }) =>
    parts.map(({ kind, id, summary, config }) => ({ kind, id, plugin, summary, config }))
  )
  const parts = all.filter((part) => id === undefined || part.id === id || part.plugin === id)
  if (parts.length === 0)
    throw new CodedError(
      'CLI_USAGE',
      `no part or plugin '${id}'${meant(
        id ?? '',
        all.flatMap((part) => [part.id, part.plugin])
      )}; see 'nexstream plugins list'`
    )
  for (const part of parts) {
    if (flags['json'] === true) await printJson(part)
    else {
      await print(`${bold(`${part.kind} ${part.id}`)} (${part.plugin})  ${part.summary}`)
      const rows = optionRows(part.config)
      if (rows.length > 0) await print(table(context, [['option', 'type', 'default', 'meaning'], ...rows]))
      await print('')
    }
  }
}
