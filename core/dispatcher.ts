// From a canonical command to exactly one reply: look-up, check, run with a deadline.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { check, nearest } from './check.js'
import { CodedError, type ErrorCode } from './api/errors.js'
import {
  type Command,
  type CommandDefinition,
  type DaemonView,
  type Dialect,
  type Finding,
  type JSONSchema,
  type Origin,
  type Reply,
  type Service
} from './api/plugin.js'
import { codeRoot } from './root.js'

const common = {
  cmd: { type: 'string', description: 'What to do.' },
  service: { type: 'string', description: 'Which service does it; may be left out where only one can.' },
  msg_id: { type: 'string', maxLength: 1024, description: 'Your name for this command; the answer carries it.' },
  service_id: { type: 'string', description: 'Only the daemon of this name answers; the others stay silent.' }
} as const

const schemas = new WeakMap<CommandDefinition, JSONSchema>()

/** The whole schema of a command: its own keys and the common ones. Always the same object: a new one would be compiled anew, and kept. */
export function commandSchema(definition: CommandDefinition): JSONSchema {
  const known = schemas.get(definition)
  if (known !== undefined) return known
  const own = typeof definition.schema === 'object' ? definition.schema : {}
  const made = {
    additionalProperties: false,
    ...own,
    type: 'object',
    properties: { ...common, ...own.properties }
  } as const
  schemas.set(definition, made)
  return made
}

/** All definitions in commands/ (one file each), by cmd and service. */
export async function loadCommands(): Promise<CommandDefinition[]> {
  return loadDefaults<CommandDefinition>(join(codeRoot, 'commands'))
}

/** All dialects in commands/dialects/. */
export async function loadDialects(): Promise<Dialect[]> {
  return loadDefaults<Dialect>(join(codeRoot, 'commands', 'dialects'))
}

async function loadDefaults<T>(folder: string): Promise<T[]> {
  const files = readdirSync(folder).filter((name) => name.endsWith('.js') && !name.endsWith('.test.js'))
  const modules = await Promise.all(
    files.toSorted().map((name) => import(pathToFileURL(join(folder, name)).href) as Promise<{ default?: T }>)
  )
  return modules.flatMap((module) => module.default ?? [])
}

/** An ERR reply from an error: its code and path, and all findings it carries. */
export function refusal(error: unknown): Reply {
  if (!(error instanceof CodedError)) {
    const message = error instanceof Error ? error.message : String(error)
    return {
      response: 'ERR',
      status: 500,
      message: `COMMAND_FAILED: ${message}`,
      errors: [{ code: 'COMMAND_FAILED', path: '/', message }]
    }
  }
  const findings = (error.fields['findings'] as readonly Finding[] | undefined) ?? [
    { code: error.code, path: error.path ?? '/', message: error.message }
  ]
  const where = error.path === undefined ? '' : `${error.path}: `
  const reply: Reply = {
    response: 'ERR',
    status: statusOf(error.code),
    message: `${error.code}: ${where}${error.message}`,
    errors: findings
  }
  const jobId = error.fields['job_id']
  return typeof jobId === 'string' ? { ...reply, job_id: jobId } : reply
}

const statuses: Readonly<Partial<Record<ErrorCode, number>>> = {
  JOB_UNKNOWN: 404,
  JOB_ENDED: 409,
  JOB_EXISTS: 409,
  JOB_LIMIT: 409,
  FILE_EXISTS: 409,
  COMMAND_TOO_LARGE: 413,
  COMMAND_FAILED: 500,
  JOB_FAILED: 500,
  HDF5_FAILED: 500,
  KAFKA_UNREACHABLE: 500
}
const statusOf = (code: ErrorCode): number => statuses[code] ?? 400

export interface DispatcherOptions {
  readonly definitions: readonly CommandDefinition[]
  readonly services: ReadonlyMap<string, Service>
  readonly serviceId: string
  readonly daemon: DaemonView
  readonly timeoutMs: number
}

export class Dispatcher {
  readonly #turns = new Map<string, Promise<unknown>>()

  constructor(readonly options: DispatcherOptions) {}

  /** Never rejects: whatever happens there is one reply (which may be `silent` when the command is for another daemon). */
  async dispatch(command: Command, origin: Origin): Promise<Reply> {
    try {
      const addressee = command['service_id']
      if (typeof addressee === 'string' && addressee !== '' && addressee !== this.options.serviceId)
        return { response: 'ACK', status: 200, message: `for ${addressee}`, silent: true }
      return await this.#withTimeout(this.#run(command, origin), command)
    } catch (error) {
      return refusal(error)
    }
  }

  /** Commands of one service run one after the other, in the order they came. */
  async #inTurn(service: string, run: () => Promise<Reply>): Promise<Reply> {
    const previous = this.#turns.get(service) ?? Promise.resolve()
    const mine = previous.then(run)
    this.#turns.set(
      service,
      mine.then(
        () => undefined,
        () => undefined // the caller of `mine` sees the error
      )
    )
    return mine
  }

  async #run(command: Command, origin: Origin): Promise<Reply> {
    const definition = this.#find(command)
    const copy = structuredClone(command)
    const findings = check(commandSchema(definition), copy, '', 'COMMAND_INVALID')
    if (findings.length > 0) throw invalid(definition, findings)
    if (definition.service === undefined) {
      if (definition.run === undefined) throw new CodedError('COMMAND_UNKNOWN', `'${command.cmd}' has no handler`)
      return definition.run(copy, this.options.daemon)
    }
    const handler = this.options.services.get(definition.service)?.commands[definition.cmd]
    if (handler !== undefined) return this.#inTurn(definition.service, () => handler(copy, origin))
    const running = [...this.options.services.keys()].join(', ') || 'none'
    throw new CodedError('COMMAND_UNKNOWN', `service '${definition.service}' does not run here (running: ${running})`, {
      path: '/service'
    })
  }

  /** By cmd and service; without a service by the one running service that knows the cmd. */
  #find(command: Command): CommandDefinition {
    const { definitions, services } = this.options
    const named = definitions.filter((definition) => definition.cmd === command.cmd)
    if (named.length === 0) throw unknownCommand(command.cmd, definitions)
    const exact = named.find((definition) => definition.service === command.service)
    if (exact !== undefined) return exact
    const here = named.filter((definition) => definition.service !== undefined && services.has(definition.service))
    const [only] = here
    if (command.service === undefined && here.length === 1 && only !== undefined) return only
    const known = named.flatMap((definition) => definition.service ?? []).join(', ')
    const text =
      command.service === undefined
        ? `'${command.cmd}' needs a service: one of ${known}`
        : `no '${command.cmd}' of service '${command.service}'; known services: ${known}`
    throw new CodedError('COMMAND_UNKNOWN', text, { path: '/service' })
  }

  async #withTimeout(reply: Promise<Reply>, command: Command): Promise<Reply> {
    const { timeoutMs } = this.options
    let timer: NodeJS.Timeout | undefined
    let over = false
    // an answer that comes too late is not sent; what waits for it goes on
    void reply.then(
      ({ sent }) => over && sent?.(),
      () => undefined // told below, or with the time-out
    )
    const late = new Promise<never>((_, reject) => {
      const text = `'${command.cmd}' was not carried out within ${timeoutMs / 1000} s; it may still take effect, ask for the jobs`
      timer = setTimeout(() => {
        over = true
        reject(new CodedError('COMMAND_FAILED', text))
      }, timeoutMs)
    })
    try {
      return await Promise.race([reply, late])
    } finally {
      clearTimeout(timer)
    }
  }
}

function unknownCommand(cmd: string, definitions: readonly CommandDefinition[]): CodedError {
  const known = [...new Set(definitions.map((definition) => definition.cmd))].toSorted()
  const near = nearest(cmd, known)
  const hint =
    near === undefined ? `known are ${known.join(', ')}` : `did you mean '${near}'? Known are ${known.join(', ')}`
  return new CodedError('COMMAND_UNKNOWN', `no command '${cmd.slice(0, 100)}'; ${hint}`, { path: '/cmd' })
}

function invalid(definition: CommandDefinition, findings: readonly Finding[]): CodedError {
  const name = definition.service === undefined ? definition.cmd : `${definition.cmd} (${definition.service})`
  const text = findings.map((finding) => `${finding.path} ${finding.message}`).join('; ')
  return new CodedError('COMMAND_INVALID', `${name}: ${text}`, { path: findings[0]?.path ?? '/', fields: { findings } })
}
