// `nexstream plugins`: what is loaded, and the options of each part.
import { CodedError } from '../api/errors.js'
import { type Host, type PartKind, partKinds } from '../host.js'
import { type Loaded, loadConfigured } from '../loader.js'
import { type JSONSchema } from '../api/plugin.js'
import { type ConfigFlags, configOf } from './config.js'
import { colour, print, printJson, table } from './io.js'
import { optionRows } from './schema-table.js'

export interface PluginsFlags extends ConfigFlags {
  readonly json?: boolean
}

/** One part, plain. */
interface PartInfo {
  readonly kind: PartKind
  readonly id: string
  readonly plugin: string
  readonly summary: string
  readonly config: JSONSchema
}

export function partsOf(host: Host): PartInfo[] {
  return partKinds.flatMap((kind) =>
    host.ids(kind).map((id) => {
      const part = host.part(kind, id)
      const summary = part !== undefined && 'summary' in part ? part.summary : ''
      const config = part !== undefined && 'config' in part ? part.config : {}
      return { kind, id, plugin: host.owner(kind, id) ?? '', summary, config }
    })
  )
}

async function withPlugins<T>(flags: PluginsFlags, use: (loaded: Loaded) => Promise<T>): Promise<T> {
  const loaded = await loadConfigured(configOf(flags))
  try {
    return await use(loaded)
  } finally {
    await loaded.close()
  }
}

/** `plugins list`: plugins and what each brings. */
export function list(flags: PluginsFlags): Promise<void> {
  return withPlugins(flags, async ({ plugins, host }) => {
    const parts = partsOf(host)
    const broughtBy = (name: string): string[] =>
      parts.filter((part) => part.plugin === name).map((part) => `${part.kind} ${part.id}`)
    if (flags.json === true)
      for (const { name, version, summary, builtin, file } of plugins)
        await printJson({ name, version, summary, builtin, file, parts: broughtBy(name) })
    else {
      const rows = plugins.map((p) => [p.name, p.version, broughtBy(p.name).join(', '), p.summary])
      await print(table([['plugin', 'version', 'brings', 'summary'], ...rows]))
    }
  })
}

/** `plugins docs [ID]`: the options of the parts of this id (or all). */
export function docs(id: string | undefined, flags: PluginsFlags): Promise<void> {
  return withPlugins(flags, async ({ host }) => {
    const parts = partsOf(host).filter((part) => id === undefined || part.id === id || part.plugin === id)
    if (parts.length === 0) throw new CodedError('CLI_USAGE', `no part or plugin '${id}'; see 'nexstream plugins list'`)
    for (const part of parts) {
      if (flags.json === true) await printJson(part)
      else {
        await print(`${colour.bold(`${part.kind} ${part.id}`)} (${part.plugin})  ${part.summary}`)
        const rows = optionRows(part.config)
        if (rows.length > 0) await print(table([['option', 'type', 'default', 'meaning'], ...rows]))
        await print('')
      }
    }
  })
}
