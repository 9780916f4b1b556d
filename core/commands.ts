// Every command there is: the daemon's own (commands/) and those of services; how one is found, and what is wrong with one.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { check } from './check.js'
import { meant, nearest } from './api/nearest.js'
import {
  type Command,
  type CommandInfo,
  type CommandPart,
  type Dialect,
  type Finding,
  type JSONSchema,
  type KnownCommand
} from './api/plugin.js'
import { type Host } from './host.js'
import { codeRoot } from './root.js'

/** A command with the code that carries it out. */
export interface RunnableCommand extends KnownCommand {
  readonly run: CommandPart['run']
}

const common = {
  cmd: { type: 'string', description: 'What to do.' },
  service: { type: 'string', description: 'Which service does it; may be left out where only one can.' },
  msg_id: { type: 'string', maxLength: 1024, description: 'Your name for this command; the answer carries it.' },
  service_id: { type: 'string', description: 'Only the daemon of this name answers; the others stay silent.' }
} as const

const schemas = new WeakMap<JSONSchema & object, JSONSchema>()

/** The whole schema of a command: its own keys and the common ones. Always the same object: a new one would be compiled anew, and kept. */
export function commandSchema({ schema }: Pick<CommandInfo, 'schema'>): JSONSchema {
  if (typeof schema !== 'object') return schema
  const known = schemas.get(schema)
  if (known !== undefined) return known
  const made = {
    additionalProperties: false,
    ...schema,
    type: 'object',
    properties: { ...common, ...schema.properties }
  } as const
  schemas.set(schema, made)
  return made
}

/** The daemon's own commands, one file each in commands/, and those of the services that plugins have brought. */
export async function loadCommands(host: Host): Promise<RunnableCommand[]> {
  const own = await loadDefaults<RunnableCommand>(join(codeRoot, 'commands'))
  const ofServices = host
    .ids('service')
    .flatMap((service) => (host.part('service', service)?.commands ?? []).map((part) => ({ ...part, service })))
  return [...own, ...ofServices].toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
}

/** All dialects: those in commands/dialects/ and those of plugins, which are `guarded`. */
export async function loadDialects(
  host: Host,
  guarded: (dialect: Dialect) => Dialect = (dialect) => dialect
): Promise<Map<string, Dialect>> {
  const own = await loadDefaults<Dialect>(join(codeRoot, 'commands', 'dialects'))
  const fromPlugins = host
    .ids('dialect')
    .flatMap((id) => host.part('dialect', id) ?? [])
    .map(guarded)
  return new Map([...own, ...fromPlugins].map((dialect) => [dialect.id, dialect]))
}

async function loadDefaults<T>(folder: string): Promise<T[]> {
  const files = readdirSync(folder).filter((name) => name.endsWith('.js') && !name.endsWith('.test.js'))
  const modules = await Promise.all(
    files.toSorted().map((name) => import(pathToFileURL(join(folder, name)).href) as Promise<{ default?: T }>)
  )
  return modules.flatMap((module) => module.default ?? [])
}

/** `start (filewriter)`, `status`. */
export const nameOf = ({ cmd, service }: KnownCommand): string => (service === undefined ? cmd : `${cmd} (${service})`)

/** What a value means as a command: the command that is to be carried out, and what is wrong with it. */
interface Understood<C extends KnownCommand> {
  readonly found: C | undefined
  readonly findings: readonly Finding[]
}

/**
 * Finds the command by cmd and service, without a service by the one service that `runs` here and knows the cmd, and checks it
 * against its schema; fills in defaults.
 */
export function understand<C extends KnownCommand>(
  value: unknown,
  known: readonly C[],
  runs: (service: string) => boolean
): Understood<C> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return wrong('COMMAND_JSON', '/', 'a command is a JSON object such as {"cmd": "status"}')
  const { cmd, service } = value as Partial<Record<keyof Command, unknown>>
  if (typeof cmd !== 'string') return wrong('COMMAND_INVALID', '/cmd', '\'cmd\' must be a string such as "start"')
  const named = known.filter((one) => one.cmd === cmd)
  if (named.length === 0) return unknownCommand(cmd, known)
  const here = named.filter((one) => one.service !== undefined && runs(one.service))
  const found =
    named.find((one) => one.service === service) ?? (service === undefined && here.length === 1 ? here[0] : undefined)
  if (found !== undefined) return { found, findings: check(commandSchema(found), value, '', 'COMMAND_INVALID') }
  const services = named.flatMap((one) => one.service ?? [])
  const list = services.join(', ')
  const text =
    service === undefined
      ? `'${cmd}' needs a service: one of ${list}`
      : `no '${cmd}' of service ${JSON.stringify(service)}${meant(JSON.stringify(service).slice(1, -1), services)}; known services: ${list}`
  return wrong('COMMAND_UNKNOWN', '/service', text)
}

const wrong = (code: string, path: string, message: string): Understood<never> => ({
  found: undefined,
  findings: [{ code, path, message }]
})

function unknownCommand(cmd: string, known: readonly KnownCommand[]): Understood<never> {
  const names = [...new Set(known.map((one) => one.cmd))].toSorted()
  const near = nearest(cmd, names)
  const list = names.join(', ')
  const hint = near === undefined ? `known are ${list}` : `did you mean '${near}'? Known are ${list}`
  return wrong('COMMAND_UNKNOWN', '/cmd', `no command '${cmd.slice(0, 100)}'; ${hint}`)
}
