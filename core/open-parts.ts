// Opens the services and reporters of the config. A wrong option ends the start; a part that fails otherwise is left out, and says so.
import { CodedError } from './api/errors.js'
import { type Reporter, type Service, type ServiceContext } from './api/plugin.js'
import { type LoadedConfig, throwFindings } from './config.js'
import { forms, GuardedService, opened, type GuardedPart } from './guards.js'
import { type Host } from './host.js'
import { configured } from './inspect.js'
import { type Log } from './log.js'

export interface OpenedParts {
  /** All of the config; those that run are in `running`, too. */
  readonly services: Map<string, GuardedService>
  readonly running: Map<string, Service>
  readonly reporters: Map<string, Reporter>
}

interface Opening {
  readonly loaded: LoadedConfig
  readonly host: Host
  readonly place: (kind: 'service' | 'reporter', id: string) => GuardedPart
  readonly context: (name: string) => ServiceContext
  readonly log: Log
}

/** Fills `into`, so that what is open already can be closed. Throws the CodedErrors of parts, but no PLUGIN_FAILED. */
export function openParts({ loaded, host, place, context, log }: Opening, into: OpenedParts): void {
  for (const { id, options, part, findings } of configured('service', loaded.config, host)) {
    throwFindings(findings, loaded)
    if (part === undefined) continue
    const at = place('service', id)
    const open = (): unknown => part.open(options as never, context(`service ${id}`))
    const service = leftOut(() => opened(at, forms.service, open))
    const isOpen = !(service instanceof CodedError)
    if (isOpen) into.running.set(id, service)
    into.services.set(id, isOpen ? new GuardedService(at, service) : new GuardedService(at, undefined, service.message))
  }
  for (const { id, options, part, findings } of configured('reporter', loaded.config, host)) {
    throwFindings(findings, loaded)
    const open = (): unknown => part?.open(options as never, context(`reporter ${id}`))
    const reporter = leftOut(() => opened(place('reporter', id), forms.reporter, open))
    if (reporter instanceof CodedError) continue
    if (reporter !== undefined) into.reporters.set(id, reporter)
    else log('info', `reporter ${id} is off: it needs a topic; set status.topic or reporters.${id}.topic`)
  }
}

/** The value, or PLUGIN_FAILED; throws what else it threw. */
function leftOut<T>(open: () => T): T | CodedError {
  try {
    return open()
  } catch (error) {
    if (error instanceof CodedError && error.code === 'PLUGIN_FAILED') return error
    throw error
  }
}
