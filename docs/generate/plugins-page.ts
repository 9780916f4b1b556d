// docs/reference/plugins.md and the option tables in every plugins/*/README.md.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { type Host, partKinds } from '../../core/host.js'
import { type Loaded, type LoadedPlugin } from '../../core/loader.js'
import { codeRoot, packageRoot } from '../../core/root.js'
import { partsOf } from '../../core/host.js'
import { code, options, type Page, reference, table } from './markdown.js'

const markers = /<!-- options -->[\s\S]*?<!-- \/options -->/

const folderOf = ({ file }: LoadedPlugin): string => relative(codeRoot, dirname(file))

export function pluginsPage({ plugins, host }: Loaded): Page {
  const parts = partsOf(host)
  const rows = plugins.map((plugin) => {
    const brings = parts.filter((part) => part.plugin === plugin.name)
    const list = partKinds.flatMap((kind) => {
      const ids = brings.filter((part) => part.kind === kind).map(({ id }) => code(id))
      return ids.length === 0 ? [] : [`${kind} ${ids.join(' ')}`]
    })
    return [`[${plugin.name}](../../${folderOf(plugin)}/README.md)`, list.join('; '), plugin.summary]
  })
  const intro = `All of these are loaded unless \`daemon.builtin_plugins\` names some. Their options are in their README files; \`nexstream plugins docs ID\` shows them, too.`
  return reference(
    'plugins',
    'Built-in plugins',
    'the plugins themselves',
    intro,
    table([['plugin', 'brings', 'what'], ...rows])
  )
}

/** The README of each plugin with its table brought up to date; throws for one without README or markers. */
export function pluginReadmes({ plugins, host }: Loaded): Page[] {
  return plugins.map((plugin) => {
    const path = `${folderOf(plugin)}/README.md`
    const file = join(packageRoot, path)
    const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
    if (!markers.test(text))
      throw new Error(`${path}: write it, with the lines <!-- options --> and <!-- /options --> where the tables go`)
    const tables = `<!-- options -->\n<!-- made by \`npm run docs\` from the schemas -->\n\n${optionTables(plugin, host)}\n\n<!-- /options -->`
    return { path, content: text.replace(markers, () => tables) }
  })
}

function optionTables({ name, plugin }: LoadedPlugin, host: Host): string {
  const own =
    plugin.options === undefined
      ? []
      : [
          `### Options of the plugin\n\n\`[[plugins]] use = "${name}"\`, \`options = {…}\`\n\n${options(plugin.options)}`
        ]
  // Parts with the same options (f142, f144, NXlog) share one table
  const groups = new Map<string, { heads: string[]; kind: string; body: string }>()
  for (const part of partsOf(host).filter((part) => part.plugin === name && part.kind !== 'dialect')) {
    const body = options(part.config)
    const group = groups.get(part.kind + body) ?? { heads: [], kind: part.kind, body }
    group.heads.push(`${code(part.id)}: ${part.summary}`)
    groups.set(part.kind + body, group)
  }
  const parts = [...groups.values()].map(({ heads, kind, body }) => {
    const list = heads.length === 1 ? (heads[0] ?? '') : heads.map((head) => `- ${head}`).join('\n')
    return `### ${kind[0]?.toUpperCase()}${kind.slice(1)}${heads.length > 1 ? 's' : ''}\n\n${list}\n\n${body}`
  })
  return [...own, ...parts].join('\n\n')
}
