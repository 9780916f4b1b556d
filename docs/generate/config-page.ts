// docs/reference/config.md: every config option with its variable and flag, and the words of the Kafka section.
import { optionRows } from '../../plugins/tools-daemon/schema-table.js'
import { configSchema } from '../../core/config-schema.js'
import { kafkaKeys } from '../../core/kafka/options.js'
import { code, type Page, reference, table } from './markdown.js'

const intro = `The config is one TOML, YAML or JSON file, told apart by its extension. A value comes from the first of these that gives it:

1. a flag: \`--set section.key=value\`, and \`--brokers\` for the brokers;
2. an environment variable: \`NEXSTREAM_SECTION__KEY\` (two underscores between the levels), and \`NEXSTREAM_BROKERS\` for the brokers;
3. the file (named on the command line or by \`NEXSTREAM_CONFIG\`);
4. the default.

Values of flags and variables are JSON where they are JSON, else plain text. A list of tables (\`commands.listen\`, \`plugins\`, \`topics\`) is given as
one JSON text. Unknown keys are refused with their path. \`nexstream check FILE --print\` shows the merged result, where each value came from,
and hides secrets. Relative paths are meant from the folder of the file. Durations are \`500ms\`, \`2s\`, \`5min\`, \`1h\`, \`7d\`, or a number of milliseconds.`

const variable = (path: string): string => `NEXSTREAM_${path.toUpperCase().replaceAll('.', '__')}`

function section(name: string, schema: object): string {
  const description = (schema as { description?: string }).description ?? ''
  const list = (schema as { type?: string }).type === 'array'
  const rows = optionRows({ type: 'object', properties: { [name]: schema } }).slice(1)
  const heading = `## \`${list ? `[[${name}]]` : `[${name}]`}\`\n\n${description}`
  if (rows.length === 0) return heading
  const shown = rows.map(([path, type, standard, meaning]) => {
    const settable = !path.includes('[]')
    const short = path.startsWith(`${name}[].`) ? path.slice(name.length + 3) : path.slice(name.length + 1)
    const where = settable ? `${code(variable(path))}` : ''
    return [code(short), type, standard === '' || standard === 'required' ? standard : code(standard), where, meaning]
  })
  return `${heading}\n\n${table([['key', 'type', 'default', 'variable', 'meaning'], ...shown])}`
}

function kafkaSection(): string {
  const rows = Object.entries(kafkaKeys).map(([key, { also = [], says }]) => [
    code(key),
    also.map(code).join(', '),
    code(variable(`kafka.${key}`)),
    says
  ])
  return `Dotted keys may also be written as sections: \`sasl = { mechanism = "…" }\`. Passwords are best given by \`…_file\` or \`…_env\`.

${table([['key', 'librdkafka', 'variable', 'meaning'], ...rows])}`
}

export function configPage(): Page {
  const sections = Object.entries(configSchema.properties).flatMap(([name, schema]) =>
    name === 'kafka' ? [section(name, { ...schema, properties: {} }), kafkaSection()] : [section(name, schema)]
  )
  return reference('config', 'Config', 'core/config-schema.ts and core/kafka/options.ts', intro, ...sections)
}
