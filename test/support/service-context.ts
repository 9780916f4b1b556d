// A ServiceContext for unit tests of services: parts by id, an in-memory Kafka, a log that is kept.
import { check } from '../../core/check.js'
import { JobRegistry } from '../../core/jobs.js'
import {
  type Command,
  type JSONSchema,
  type Kafka,
  type LogLevel,
  type Reply,
  type ServiceContext,
  type ServiceEvent
} from '../../core/api/plugin.js'
import { type ConverterPart, type SourcePart } from '../../schemas/index.js'

export interface TestContext extends ServiceContext {
  readonly events: ServiceEvent[]
  /** Answers that no command handler gave. */
  readonly answers: { command: Command; reply: Reply }[]
  readonly logs: { level: LogLevel; message: string }[]
  /** Ends everything that hangs on the context's signal. */
  abort(): void
}

/** A context that knows the given parts. */
export function serviceContext(
  kafka: Kafka,
  parts: { sources?: readonly SourcePart[]; converters?: readonly ConverterPart[]; serviceId?: string } = {}
): TestContext {
  const sources = new Map((parts.sources ?? []).map((part) => [part.id, part]))
  const converters = new Map((parts.converters ?? []).map((part) => [part.id, part]))
  const controller = new AbortController()
  const events: ServiceEvent[] = []
  const answers: TestContext['answers'] = []
  const logs: { level: LogLevel; message: string }[] = []
  return {
    serviceId: parts.serviceId ?? 'test',
    signal: controller.signal,
    kafka,
    jobs: new JobRegistry({ starting: () => Promise.resolve(), stopped: () => Promise.resolve() }),
    brokers: [],
    statusTopic: undefined,
    thread: () => {
      throw new Error('this context has no threads')
    },
    fault: (kind, id, method, error) =>
      void logs.push({ level: 'error', message: `${kind} ${id}: ${method}: ${String(error)}` }),
    log: (level, message) => void logs.push({ level, message }),
    source: (id) => sources.get(id),
    converter: (id) => converters.get(id),
    writer: () => undefined,
    readout: () => undefined,
    ids: (kind) => [...(kind === 'source' ? sources.keys() : kind === 'converter' ? converters.keys() : [])],
    listen: () => Promise.reject(new Error('this context hears no further topics')),
    takeJobs: () => undefined,
    recall: () => Promise.reject(new Error('this context has no commands to read again')),
    answer: (command, _origin, reply) => void answers.push({ command, reply }),
    commands: () => [],
    carryOut: () => Promise.reject(new Error('this context carries out no commands')),
    emit: (event, _origin, sent) => {
      events.push(event)
      sent?.()
    },
    check: (schema: JSONSchema, value: unknown, path?: string) => check(schema, value, path),
    events,
    answers,
    logs,
    abort: () => controller.abort()
  }
}
