// From a canonical command to exactly one reply: look-up, check, run with a deadline.
import { CodedError, type CoreCode, type ErrorCode, errorText } from './api/errors.js'
import {
  type Command,
  type DaemonView,
  type Finding,
  findingOf,
  type Origin,
  type Reply,
  type Service
} from './api/plugin.js'
import { nameOf, type RunnableCommand, understand } from './commands.js'

/** An ERR reply from an error: its code and path, and all findings it carries. */
export function refusal(error: unknown): Reply {
  if (!(error instanceof CodedError)) {
    const message = errorText(error)
    return {
      response: 'ERR',
      status: 500,
      message: `COMMAND_FAILED: ${message}`,
      errors: [{ code: 'COMMAND_FAILED', path: '/', message }]
    }
  }
  const findings = (error.fields['findings'] as readonly Finding[] | undefined) ?? [findingOf(error)]
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

const statuses: Readonly<Record<string, number>> = {
  JOB_UNKNOWN: 404,
  JOB_ENDED: 409,
  JOB_LIMIT: 409,
  COMMAND_TOO_LARGE: 413,
  KAFKA_UNREACHABLE: 500
} satisfies Partial<Record<CoreCode, number>>
/** The end of a code says it where the table does not: what failed is no fault of the command. */
const statusOf = (code: ErrorCode): number =>
  statuses[code] ?? (code.endsWith('_FAILED') ? 500 : code.endsWith('_EXISTS') ? 409 : 400)

interface DispatcherOptions {
  readonly commands: readonly RunnableCommand[]
  readonly services: ReadonlyMap<string, Service>
  readonly serviceId: string
  readonly daemon: DaemonView
  readonly timeoutMs: number
  /** Hears of commands of a service that threw what is no refusal, or gave no reply. */
  readonly fault?: (service: string, cmd: string, error: unknown) => void
}

export class Dispatcher {
  readonly #turns = new Map<string, Promise<unknown>>()
  readonly #running = new Set<Promise<Reply>>()
  /** Of those that are waited for: called when they have no time left. */
  readonly #giveUp = new Set<(error: CodedError) => void>()
  #over: CodedError | undefined
  #retired = false

  constructor(readonly options: DispatcherOptions) {}

  /** Never rejects: whatever happens there is one reply (which may be `silent` when the command is for another daemon). */
  dispatch(command: Command, origin: Origin): Promise<Reply> {
    const reply = this.#dispatch(command, origin)
    this.#running.add(reply)
    void reply.then(() => this.#running.delete(reply))
    return reply
  }

  /**
   * The daemon stops: what has not begun is refused, what runs has so long to end. Resolves when every command has its reply.
   */
  async retire(patienceMs: number): Promise<void> {
    this.#retired = true
    const text = 'the daemon stopped before this was done; it may have taken effect in part'
    const timer = setTimeout(() => {
      this.#over = new CodedError('COMMAND_FAILED', text)
      for (const giveUp of this.#giveUp) giveUp(this.#over)
    }, patienceMs)
    while (this.#running.size > 0) await Promise.all(this.#running)
    clearTimeout(timer)
  }

  async #dispatch(command: Command, origin: Origin): Promise<Reply> {
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
    const mine = previous.then(() => {
      if (this.#retired) throw new CodedError('COMMAND_FAILED', 'the daemon is stopping: not carried out')
      return run()
    })
    this.#turns.set(
      service,
      mine.then(
        () => undefined,
        () => undefined // The caller of `mine` sees the error
      )
    )
    return mine
  }

  async #run(command: Command, origin: Origin): Promise<Reply> {
    const { commands, services, daemon } = this.options
    const copy = structuredClone(command)
    const { found, findings } = understand(copy, commands, (service) => services.has(service))
    if (found === undefined || findings.length > 0) throw refused(found, findings)
    const run = async (receiver: Service | DaemonView): Promise<Reply> => {
      try {
        // Its type is that of the schema, which has just been checked
        const reply: unknown = await found.run(copy as never, origin, receiver as never)
        if (isReply(reply)) return reply
        throw new TypeError(`gave ${typeof reply} where it must give a reply (response, status, message)`)
      } catch (error) {
        if (!(error instanceof CodedError)) this.options.fault?.(found.service ?? 'daemon', found.cmd, error)
        throw error
      }
    }
    if (found.service === undefined || found.service === 'daemon') return run(daemon)
    const service = services.get(found.service)
    if (service !== undefined) return this.#inTurn(found.service, () => run(service))
    const running = [...services.keys()].join(', ') || 'none'
    throw new CodedError('COMMAND_UNKNOWN', `service '${found.service}' does not run here (running: ${running})`, {
      path: '/service'
    })
  }

  async #withTimeout(reply: Promise<Reply>, command: Command): Promise<Reply> {
    const { timeoutMs } = this.options
    let over = false
    // An answer that comes too late, or after the daemon gave up, is not sent; what waits for it goes on
    void reply.then(
      ({ sent }) => over && sent?.(),
      () => undefined // Told below, or with the time-out
    )
    // One for each command: a promise that outlives it would hold whatever was raced against it
    let giveUp!: (error: CodedError) => void
    const late = new Promise<never>((_, reject) => (giveUp = reject))
    const text = `'${command.cmd}' was not carried out within ${timeoutMs / 1000} s; it may still take effect, ask for the jobs`
    const timer = setTimeout(() => giveUp(new CodedError('COMMAND_FAILED', text)), timeoutMs)
    this.#giveUp.add(giveUp)
    if (this.#over !== undefined) giveUp(this.#over)
    try {
      return await Promise.race([reply, late])
    } catch (error) {
      over = true
      throw error
    } finally {
      clearTimeout(timer)
      this.#giveUp.delete(giveUp)
    }
  }
}

function isReply(value: unknown): value is Reply {
  if (typeof value !== 'object' || value === null) return false
  const { response, message } = value as Partial<Record<keyof Reply, unknown>>
  return (response === 'ACK' || response === 'ERR') && typeof message === 'string'
}

function refused(found: RunnableCommand | undefined, findings: readonly Finding[]): CodedError {
  const [first] = findings
  const path = first?.path ?? '/'
  if (found === undefined)
    return new CodedError((first?.code ?? 'COMMAND_UNKNOWN') as ErrorCode, first?.message ?? '', { path })
  const text = findings.map((finding) => `${finding.path} ${finding.message}`).join('; ')
  return new CodedError('COMMAND_INVALID', `${nameOf(found)}: ${text}`, { path, fields: { findings } })
}
