// Finds, imports, checks and applies plugins. Only the config names code; each refusal is a coded error with plugin and path.
import { existsSync, readdirSync, statSync } from 'node:fs'
import module, { createRequire } from 'node:module'
import { isAbsolute, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { check, compileSchema } from './check.js'
import { type Closing, closeInTurn } from './closing.js'
import { type LoadedConfig } from './config.js'
import { CodedError, errorText } from './api/errors.js'
import { Host, partKinds, withDeadline } from './host.js'
import { API, type CommandPart, type JSONSchema, type Plugin } from './api/plugin.js'
import * as resolver from './resolver.js'
import { codeRoot } from './root.js'

/** One `[[plugins]]` entry of the config. */
interface PluginEntry {
  readonly use: string
  readonly options?: Readonly<Record<string, unknown>>
}

export interface LoadOptions {
  readonly plugins: readonly PluginEntry[]
  /** Names of the built-in plugins to load; all when undefined. */
  readonly builtin?: readonly string[] | undefined
  /** Folder of the config file, from which paths and npm names are resolved. */
  readonly baseFolder: string
  /** The main thread has loaded and checked them: schemas are not compiled once more. */
  readonly checked?: boolean
}

export interface LoadedPlugin {
  readonly name: string
  readonly version: string
  readonly summary: string
  readonly file: string
  readonly builtin: boolean
  readonly plugin: Plugin
}

export interface Loaded {
  readonly host: Host
  readonly plugins: readonly LoadedPlugin[]
  /** Calls `close` of every plugin, last loaded first. */
  close(): Promise<void>
}

/** Loads the built-in plugins and those of the config into a new host. */
export async function loadPlugins(options: LoadOptions): Promise<Loaded> {
  const host = new Host()
  const plugins: LoadedPlugin[] = []
  const builtins = await builtinFiles(options)
  for (const [name, file] of builtins) {
    const index = options.plugins.findIndex((entry) => entry.use === name)
    const at = index < 0 ? '' : `/plugins/${index}`
    await load(host, plugins, { file, shown: name, at, builtin: true, options: options.plugins[index]?.options })
  }
  for (const [index, entry] of options.plugins.entries()) {
    // `use` of a built-in's name only gives it options
    if (builtins.has(entry.use)) continue
    const at = `/plugins/${index}`
    const file = await resolveUse(entry.use, options.baseFolder, at)
    await load(host, plugins, { file, shown: `'${entry.use}'`, at, builtin: false, options: entry.options })
  }
  if (options.checked !== true) checkPartSchemas(host)
  return { host, plugins, close: () => closePlugins(plugins) }
}

/** Loads the plugins that a config names. */
export const loadConfigured = ({ config, baseFolder }: LoadedConfig): Promise<Loaded> =>
  loadPlugins({ plugins: config.plugins, builtin: config.daemon.builtin_plugins, baseFolder })

/** Closes all, then rejects with the first failure. */
async function closePlugins(plugins: readonly LoadedPlugin[]): Promise<void> {
  const failures: unknown[] = []
  const parts = [...plugins].reverse().map(({ plugin, name }): Closing => {
    return [name, () => withDeadline(async () => plugin.close?.(), name, 'close')]
  })
  await closeInTurn(parts, (_, error) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}

interface Candidate {
  readonly file: string
  readonly shown: string
  readonly at: string
  readonly builtin: boolean
  readonly options: Readonly<Record<string, unknown>> | undefined
}

async function load(host: Host, plugins: LoadedPlugin[], candidate: Candidate): Promise<void> {
  const { file, shown, at, builtin } = candidate
  const plugin = await importPlugin(file, shown, at)
  const { name, version, summary } = plugin
  if (plugins.some((loaded) => loaded.name === name))
    throw new CodedError('PLUGIN_DUPLICATE_ID', `plugin name '${name}' is taken already (${file})`, { path: at })
  await applyPlugin(host, plugin, structuredClone(candidate.options ?? {}), file, at)
  plugins.push({ name, version, summary, file, builtin, plugin })
}

const builtinFile = (name: string): string => join(codeRoot, 'plugins', name, 'index.js')

export const builtinNames = (): string[] =>
  readdirSync(join(codeRoot, 'plugins')).filter((name) => existsSync(builtinFile(name)))

/** Name → file of the built-in plugins to load, by name. */
async function builtinFiles({ builtin }: LoadOptions): Promise<Map<string, string>> {
  const found = builtinNames()
  for (const [index, name] of (builtin ?? []).entries()) {
    if (found.includes(name)) continue
    const home = await homeOf(name)
    const why = home === undefined ? `there are ${found.join(', ')}` : `it is part of ${home}`
    throw new CodedError('PLUGIN_NOT_FOUND', `there is no built-in plugin '${name}'; ${why}`, {
      path: `/daemon/builtin_plugins/${index}`
    })
  }
  return new Map((builtin ?? found).toSorted().map((name) => [name, builtinFile(name)]))
}

/** For a name made of the kind and id of a part: the built-in plugin that brings this part. */
async function homeOf(name: string): Promise<string | undefined> {
  const kind = partKinds.find((kind) => name.startsWith(`${kind}-`))
  if (kind === undefined) return undefined
  const { host } = await loadPlugins({ plugins: [], baseFolder: '.', checked: true })
  return host.owner(kind, name.slice(kind.length + 1))
}

async function resolveUse(use: string, baseFolder: string, at: string): Promise<string> {
  if (use.startsWith('.') || isAbsolute(use)) {
    const path = resolve(baseFolder, use)
    const candidates = [path, join(path, 'index.js'), join(path, 'index.mjs'), `${path}.js`, `${path}.mjs`]
    const file = candidates.find((candidate) => existsSync(candidate) && statSync(candidate).isFile())
    if (file !== undefined) return file
    throw new CodedError('PLUGIN_NOT_FOUND', `plugin '${use}' not found; looked for ${candidates.join(', ')}`, {
      path: `${at}/use`
    })
  }
  try {
    return createRequire(join(resolve(baseFolder), 'config.js')).resolve(use)
  } catch (cause) {
    const home = await homeOf(use)
    const text =
      home === undefined
        ? `plugin '${use}' is not a built-in and not installed; run 'npm install ${use}' in ${resolve(baseFolder)}`
        : `plugin '${use}' is not a built-in: it is part of ${home}`
    throw new CodedError('PLUGIN_NOT_FOUND', text, { path: `${at}/use`, cause })
  }
}

let resolverRegistered = false

/** Lets a plugin that lies outside our tree import `nexstream/plugin` and `nexstream/schemas`. */
function registerResolver(): void {
  if (resolverRegistered) return
  resolverRegistered = true
  const data = { root: pathToFileURL(`${codeRoot}/`).href }
  // Node from 22.15 on has hooks in this thread, and no longer likes the others; its types are those of Node 20
  const { registerHooks } = module as { registerHooks?: (hooks: object) => void }
  if (registerHooks === undefined) {
    module.register(pathToFileURL(join(codeRoot, 'core', 'resolver.js')), { data })
  } else {
    resolver.initialize(data)
    registerHooks({ resolve: resolver.resolve })
  }
}

async function importPlugin(file: string, shown: string, at: string): Promise<Plugin> {
  if (!file.startsWith(codeRoot)) registerResolver()
  let module: { default?: unknown }
  try {
    module = (await import(pathToFileURL(file).href)) as { default?: unknown }
  } catch (cause) {
    const message = errorText(cause)
    throw new CodedError('PLUGIN_NOT_FOUND', `plugin ${shown} (${file}) cannot be imported: ${message}`, {
      path: `${at}/use`,
      cause
    })
  }
  return checkManifest(module.default, shown, file, at)
}

const manifestSchema = {
  type: 'object',
  required: ['name', 'version', 'api', 'summary'],
  properties: {
    name: { type: 'string', pattern: '^(@[a-z0-9._-]+/)?[A-Za-z0-9][A-Za-z0-9._-]*$' },
    version: { type: 'string', minLength: 1 },
    api: { type: 'integer' },
    summary: { type: 'string', minLength: 1 },
    options: { type: 'object' },
    errors: { type: 'object', additionalProperties: { type: 'string' } }
  }
} as const satisfies JSONSchema

function checkManifest(candidate: unknown, shown: string, file: string, at: string): Plugin {
  const findings = check(manifestSchema, candidate)
  const apply = (candidate as { apply?: unknown } | null | undefined)?.apply
  if (findings.length > 0 || typeof apply !== 'function') {
    const first = findings[0] ?? { path: '/apply', message: 'must be a function' }
    const text = `plugin ${shown} (${file}): the default export is not a plugin: ${first.path} ${first.message}`
    throw new CodedError('PLUGIN_MANIFEST', text, { path: `${at}/use` })
  }
  const plugin = candidate as Plugin
  if (plugin.api !== API)
    throw new CodedError(
      'PLUGIN_API',
      `plugin ${plugin.name} (${file}) is for plugin API ${plugin.api}; this is API ${API}`,
      { path: `${at}/use` }
    )
  return plugin
}

async function applyPlugin(
  host: Host,
  plugin: Plugin,
  options: Record<string, unknown>,
  file: string,
  at: string
): Promise<void> {
  const schema = plugin.options ?? { type: 'object', additionalProperties: false }
  checkSchema(schema, `plugin ${plugin.name} (${file}): options`, at)
  const findings = check(schema, options, `${at}/options`, 'PLUGIN_OPTIONS')
  const [first] = findings
  if (first !== undefined)
    throw new CodedError('PLUGIN_OPTIONS', `plugin ${plugin.name}: ${first.path} ${first.message}`, {
      path: first.path,
      fields: { findings }
    })
  await withDeadline(async () => plugin.apply(host.registryFor(plugin.name), options), plugin.name, 'apply')
}

function checkPartSchemas(host: Host): void {
  for (const kind of partKinds) {
    for (const id of host.ids(kind)) {
      const part = host.part(kind, id)
      const where = `plugin ${host.owner(kind, id)}: ${kind} '${id}':`
      if (part !== undefined && 'config' in part) checkSchema(part.config, `${where} config`, '')
      if (part !== undefined && 'open' in part && 'commands' in part) checkCommands(part.commands ?? [], where)
    }
  }
}

function checkCommands(commands: readonly CommandPart[], where: string): void {
  for (const [i, { cmd, schema }] of commands.entries()) {
    checkSchema(schema, `${where} command '${cmd}'`, '')
    if (commands.findIndex((other) => other.cmd === cmd) !== i)
      throw new CodedError('PLUGIN_DUPLICATE_ID', `${where} it has two commands '${cmd}'; remove one of them`)
  }
}

/** A part's schema must compile and describe each of its properties, since the docs are made from it. */
function checkSchema(schema: JSONSchema, where: string, at: string): void {
  try {
    compileSchema(schema)
  } catch (cause) {
    throw new CodedError('PLUGIN_SCHEMA', `${where}: ${errorText(cause)}`, {
      path: at,
      cause
    })
  }
  const properties = typeof schema === 'object' ? (schema.properties ?? {}) : {}
  for (const [key, property] of Object.entries(properties)) {
    if (typeof property !== 'object' || typeof property.description !== 'string')
      throw new CodedError('PLUGIN_SCHEMA', `${where}: property '${key}' has no description`, { path: at })
  }
}
