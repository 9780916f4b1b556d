// The config: defaults < file (TOML, YAML, JSON) < environment < flags, checked, and where each value came from.
import { readFileSync } from 'node:fs'
import { dirname, extname, resolve } from 'node:path'
import { parse as parseToml } from 'smol-toml'
import { parse as parseYaml } from 'yaml'
import { check } from './check.js'
import { nearest } from './api/nearest.js'
import { configSchema, type DaemonConfig } from './config-schema.js'
import { CodedError } from './api/errors.js'
import { type Finding } from './api/plugin.js'
import { kafkaWords } from './kafka/options.js'

export { type DaemonConfig, type ListenConfig } from './config-schema.js'

export interface ConfigSources {
  /** Path of the config file; none: only defaults, environment and flags. */
  readonly file?: string | undefined
  readonly env?: Readonly<Record<string, string | undefined>>
  /** `section.key` → value, as given by `--set section.key=value`. */
  readonly flags?: Readonly<Record<string, string>>
}

export interface LoadedConfig {
  readonly config: DaemonConfig
  /** `/section/key` → `default`, the file's name, the environment variable's or the flag's. */
  readonly origins: ReadonlyMap<string, string>
  readonly findings: readonly Finding[]
  /** What is odd but harms nothing, e.g. environment variables of our prefix that mean nothing. */
  readonly warnings: readonly string[]
  /** Folder from which relative paths in the config are meant. */
  readonly baseFolder: string
}

type Tree = Record<string, unknown>
const envPrefix = 'NEXSTREAM_'
/** Variables of the prefix that are not config. */
const notConfig = ['NEXSTREAM_CACHE', 'NEXSTREAM_BROKERS', 'NEXSTREAM_CONFIG', 'NEXSTREAM_PASSWORD']
/** Those of our own tests. */
const forTests = /^NEXSTREAM_(TEST|NOT|PYTHON)(_|$)/

/** Reads and merges; never throws for wrong values (they are findings), only for an unreadable file. */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const origins = new Map<string, string>()
  const config: Tree = sources.file === undefined ? {} : parseConfigText(readText(sources.file), sources.file)
  noteOrigins(config, '', sources.file ?? '', origins)
  const env = sources.env ?? {}
  const brokers = env['NEXSTREAM_BROKERS']
  if (brokers !== undefined && brokers !== '')
    set(config, ['kafka', 'brokers'], brokers.split(','), 'NEXSTREAM_BROKERS', origins)
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(envPrefix) || !name.includes('__') || text === undefined) continue
    const path = name.slice(envPrefix.length).toLowerCase().split('__')
    set(config, path, parseValue(text), name, origins)
  }
  for (const [key, text] of Object.entries(sources.flags ?? {}))
    set(config, key.split('.'), parseValue(text), `--set ${key}`, origins)
  const findings = check(configSchema, config)
  noteOrigins(config, '', 'default', origins)
  return {
    config: config as DaemonConfig,
    origins,
    findings,
    warnings: unknownVariables(env, config),
    baseFolder: sources.file === undefined ? process.cwd() : dirname(resolve(sources.file))
  }
}

/** As `loadConfig`, but throws CONFIG_INVALID for the first finding and names all. */
export function requireConfig(sources: ConfigSources): LoadedConfig {
  const loaded = loadConfig(sources)
  throwFindings(loaded.findings, loaded)
  return loaded
}

/** Throws when there are findings: the first one's code and path, all of them in the text with the place each value came from. */
export function throwFindings(
  findings: readonly Finding[],
  { origins }: Pick<LoadedConfig, 'origins'> = { origins: new Map() }
): void {
  const [first] = findings
  if (first === undefined) return
  let before = ''
  const told = findings.map(({ path, message }) => {
    const origin = originOf(path, origins)
    const from = origin === before ? '' : `${origin === 'default' ? 'config' : origin}: `
    before = origin
    return `${from}${path}: ${message}`
  })
  const code = first.code === 'PLUGIN_OPTIONS' ? 'PLUGIN_OPTIONS' : 'CONFIG_INVALID'
  throw new CodedError(code, told.join('; '), { path: first.path, fields: { findings } })
}

/** An error about a config value that was found later (by the Kafka client, by a plugin) names where the value came from, too. */
export function withOrigin(error: unknown, { origins }: Pick<LoadedConfig, 'origins'>): unknown {
  if (!(error instanceof CodedError) || error.code !== 'CONFIG_INVALID' || error.path === undefined) return error
  const origin = originOf(error.path, origins)
  if (origin === 'default') return error
  return new CodedError(error.code, `${origin}: ${error.message}`, { path: error.path, fields: error.fields, cause: error }) // prettier-ignore
}

/** A misspelt variable would be passed over in silence. */
function unknownVariables(env: Readonly<Record<string, string | undefined>>, config: Tree): string[] {
  const named = new Set(JSON.stringify(config['kafka'] ?? {}).match(/"NEXSTREAM_\w+"/g)) // Of sasl.password_env and the like
  const isUnknown = (name: string): boolean =>
    name.startsWith(envPrefix) && !name.includes('__') && !notConfig.includes(name) && !named.has(`"${name}"`) && !forTests.test(name) // prettier-ignore
  return Object.keys(env)
    .filter(isUnknown)
    .map((name) => {
      const near = nearest(name, [...notConfig, ...sections])
      const hint = near === undefined ? 'write NEXSTREAM_SECTION__KEY' : `did you mean ${near}?`
      return `environment variable ${name} means nothing here; ${hint}`
    })
}

/** Section and key with two underscores between them. */
const sections = Object.entries(configSchema.properties).flatMap(
  ([section, schema]) =>
  Object.keys('properties' in schema ? schema.properties : {}).map((key) => `${envPrefix}${section}__${key}`.toUpperCase()) // prettier-ignore
)

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new CodedError('CONFIG_FILE', `config file ${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
}

/** TOML, YAML or JSON by the name's extension. */
export function parseConfigText(text: string, file: string): Tree {
  const kind = extname(file).toLowerCase()
  let value: unknown
  try {
    if (kind === '.toml') value = parseToml(text)
    else if (kind === '.json') value = JSON.parse(text)
    else if (kind === '.yaml' || kind === '.yml') value = parseYaml(text, { maxAliasCount: 100 })
    else throw new Error(`the name must end in .toml, .yaml, .yml or .json, not '${kind}'`)
  } catch (cause) {
    throw new CodedError('CONFIG_FILE', `config file ${file}: ${(cause as Error).message}`, { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new CodedError('CONFIG_FILE', `config file ${file}: the top level must be a table of sections`)
  return structuredClone(value) as Tree
}

/** Text from environment or flag: JSON when it is JSON, else the text itself. */
function parseValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text // Plain words need no quotes
  }
}

const forbidden = new Set(['__proto__', 'prototype', 'constructor'])

/** What says the same in other words has come from a lesser place and gives way. */
function setKafka(
  tree: Tree,
  rest: readonly string[],
  value: unknown,
  origin: string,
  origins: Map<string, string>
): void {
  const word = rest.join('.')
  const kafka = (tree['kafka'] ??= {}) as Tree
  for (const same of kafkaWords(word)) {
    const [section = '', ...inner] = same.split('.')
    const nested = kafka[section]
    Reflect.deleteProperty(kafka, same)
    origins.delete(`/kafka/${same}`)
    if (typeof nested !== 'object' || nested === null) continue
    Reflect.deleteProperty(nested, inner.join('.'))
    origins.delete(`/kafka/${section}/${inner.join('.')}`)
  }
  const isNested = rest.length === 1 || kafkaWords(word).length === 0 || ['sasl', 'ssl'].includes(rest[0] ?? '')
  assign(tree, ['kafka', ...(isNested ? rest : [word])], value, origin, origins)
}

function set(tree: Tree, path: readonly string[], value: unknown, origin: string, origins: Map<string, string>): void {
  const [section, ...rest] = path
  if (section === 'kafka' && rest.length > 0) setKafka(tree, rest, value, origin, origins)
  else assign(tree, path, value, origin, origins)
}

function assign(
  tree: Tree,
  path: readonly string[],
  value: unknown,
  origin: string,
  origins: Map<string, string>
): void {
  if (path.some((key) => key === '' || forbidden.has(key)))
    throw new CodedError('CONFIG_INVALID', `${origin}: '${path.join('.')}' is not a config key`)
  let node = tree
  for (const key of path.slice(0, -1)) {
    const child = node[key]
    if (typeof child !== 'object' || child === null) node[key] = {}
    node = node[key] as Tree
  }
  node[path.at(-1) ?? ''] = value
  for (const known of [...origins.keys()]) if (known.startsWith(`/${path.join('/')}/`)) origins.delete(known)
  origins.set(`/${path.join('/')}`, origin)
}

function noteOrigins(value: unknown, path: string, origin: string, origins: Map<string, string>): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    if (origins.has(path)) return
    for (const [key, child] of Object.entries(value)) noteOrigins(child, `${path}/${key}`, origin, origins)
  } else if (!origins.has(path)) origins.set(path, origin)
}

/** Of the key alone: what lies in a section of such a name is no secret for that. */
const secretKey = /pass(word|phrase|wd)?$|secret|token|\.key$|key\.pem$|keystore|jaas/i

/** A copy with secrets replaced by `***`, to print and log. */
export function redacted<T>(value: T): T {
  const hide = (node: unknown, path: string): unknown => {
    if (Array.isArray(node)) return node.map((item) => hide(item, path))
    if (typeof node !== 'object' || node === null) return node
    const hidden = (key: string, child: unknown): unknown =>
      typeof child !== 'object' && (secretKey.test(key) || `${path}/${key}`.endsWith('/ssl/key'))
        ? '***'
        : hide(child, `${path}/${key}`)
    return Object.fromEntries(Object.entries(node).map(([key, child]) => [key, hidden(key, child)]))
  }
  return hide(value, '') as T
}

/** One line a value: path, value, origin; secrets hidden (for `nexstream check --print`). */
export function printConfig({ config, origins }: LoadedConfig): string {
  const shown: string[] = []
  const walk = (node: unknown, path: string): void => {
    if (typeof node === 'object' && node !== null && !Array.isArray(node) && Object.keys(node).length > 0)
      for (const [key, child] of Object.entries(node)) walk(child, `${path}/${key}`)
    else shown.push(`${path} = ${JSON.stringify(node)}  # ${originOf(path, origins)}`)
  }
  walk(redacted(config), '')
  return shown.join('\n')
}

function originOf(path: string, origins: ReadonlyMap<string, string>): string {
  for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    const origin = origins.get(at)
    if (origin !== undefined) return origin
  }
  return 'default'
}
