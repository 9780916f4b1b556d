// Small pieces of Markdown: tables, code, pages that say where they come from.
import { optionRows } from '../../plugins/tools-daemon/schema-table.js'
import { type JSONSchema } from '../../core/api/plugin.js'

/** A generated file, relative to the package. */
export interface Page {
  readonly path: string
  readonly content: string
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

export const code = (text: string): string => `\`${text}\``

/** The first row is the heading. */
export function table(rows: readonly (readonly string[])[]): string {
  const line = (row: readonly string[]): string => `| ${row.map(cell).join(' | ')} |`
  const [head = [], ...rest] = rows
  return [line(head), `|${head.map(() => ' --- |').join('')}`, ...rest.map(line)].join('\n')
}

export const block = (language: string, text: string): string => `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``

export const json = (value: unknown): string => block('json', JSON.stringify(value, null, 2))

/** The options of a schema; a sentence when there are none. */
export function options(schema: JSONSchema): string {
  const rows = optionRows(schema)
  if (rows.length === 0) return 'No options.'
  const shown = rows.map(([name, type, standard, meaning]) => [code(name), type, quoted(standard), meaning])
  return table([['option', 'type', 'default', 'meaning'], ...shown])
}

const quoted = (standard: string): string => (standard === '' || standard === 'required' ? standard : code(standard))

/** A reference page; `source` says what to edit instead. */
export function reference(name: string, title: string, source: string, ...parts: readonly string[]): Page {
  const note = `<!-- Made by \`npm run docs\` from ${source}; edit that. -->`
  return { path: `docs/reference/${name}.md`, content: [`# ${title}`, note, ...parts].join('\n\n') + '\n' }
}
