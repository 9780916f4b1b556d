// The FlatBuffers commands of the field's file writer: pl72 and 6s4t in, answ and wrdn out.
import {
  CodedError,
  type Command,
  type Dialect,
  type OutMessage,
  type Reply,
  type ServiceEvent
} from '../../core/api/plugin.js'
import { decodeJson, encodeMessage, schemaId } from '../../schemas/index.js'

interface RunStart {
  readonly start_time: string
  readonly stop_time: string
  readonly run_name: string | null
  readonly instrument_name: string | null
  readonly nexus_structure: string | null
  readonly job_id: string | null
  readonly service_id: string | null
  readonly filename: string | null
  readonly n_periods: number
  readonly detector_spectrum_map: SpectrumMap | null
  readonly metadata: string | null
  readonly control_topic: string | null
}
interface SpectrumMap {
  readonly spectrum: readonly number[] | null
  readonly detector_id: readonly number[] | null
  readonly n_spectra: number
}
interface RunStop {
  readonly stop_time: string
  readonly job_id: string | null
  readonly service_id: string | null
  readonly command_id: string | null
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Start messages by the command made of them: an accepted one is repeated on the control topic before its answer. */
const messages = new WeakMap<Command, Buffer>()
/** Times beyond this are "no stop time": clients send the start plus ten years, or the largest number. */
const openEndMs = 9 * 365.25 * 86_400_000

function refuse(message: string, path: string, command: Partial<Command>): never {
  throw new CodedError('COMMAND_INVALID', message, { path, fields: { command: { ...command, service: 'filewriter' } } })
}

const present = <T>(value: T | null): value is T => value !== null && value !== ''
const optional = (entries: Readonly<Record<string, unknown>>): object =>
  Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== null && value !== ''))

function toStart(start: RunStart): Command {
  const answer = { cmd: 'start', msg_id: start.job_id ?? '', job_id: start.job_id ?? '' }
  if (!present(start.job_id) || !uuid.test(start.job_id)) refuse('job_id must be a UUID', '/job_id', answer)
  for (const key of ['filename', 'nexus_structure'] as const)
    if (!present(start[key])) refuse(`${key} is missing`, `/${key}`, answer)
  const startMs = Number(start.start_time)
  const stopMs = Number(start.stop_time)
  const endless = stopMs === 0 || stopMs - (startMs || Date.now()) >= openEndMs
  const map = start.detector_spectrum_map
  return {
    cmd: 'start',
    service: 'filewriter',
    msg_id: start.job_id,
    job_id: start.job_id,
    file_name: start.filename,
    nexus_structure: start.nexus_structure,
    ...(startMs === 0 ? {} : { start_time: startMs }),
    ...(endless ? {} : { stop_time: stopMs }),
    ...(start.n_periods === 1 ? {} : { periods: start.n_periods }),
    ...optional({
      run_name: start.run_name,
      instrument_name: start.instrument_name,
      metadata: start.metadata,
      control_topic: start.control_topic,
      service_id: start.service_id
    }),
    ...(map === null
      ? {}
      : { detector_spectrum_map: { spectra: map.spectrum ?? [], detectors: map.detector_id ?? [] } })
  }
}

function toStop(stop: RunStop): Command {
  const id = stop.command_id ?? ''
  const answer = { cmd: 'stop', msg_id: id, job_id: stop.job_id ?? '' }
  if (!present(stop.job_id)) refuse('job_id is missing', '/job_id', answer)
  const stopMs = Number(stop.stop_time)
  return {
    cmd: 'stop',
    service: 'filewriter',
    msg_id: id,
    job_id: stop.job_id,
    ...(stopMs === 0 ? {} : { stop_time: stopMs }),
    ...optional({ service_id: stop.service_id })
  }
}

/** Peers answer 201, 400 or 500. */
const statusCode = ({ response, status }: Reply): number => (response === 'ACK' ? 201 : status < 500 ? 400 : 500)

function answ(command: Command, reply: Reply, serviceId: string): OutMessage {
  const stopTime = (reply.result as { stop_time_ms?: number } | undefined)?.stop_time_ms ?? command['stop_time'] ?? 0
  return {
    value: encodeMessage('answ', {
      service_id: serviceId,
      job_id: textOf(command['job_id']) || (reply.job_id ?? ''),
      action: command.cmd === 'stop' ? 'SetStopTime' : 'StartJob',
      outcome: reply.response === 'ACK' ? 'Success' : 'Failure',
      status_code: statusCode(reply),
      stop_time: BigInt(typeof stopTime === 'number' ? Math.trunc(stopTime) : 0),
      message: reply.message,
      command_id: command.msg_id ?? ''
    })
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** What the client sent, at the place where it looks; always an object of JSON, which a client parses without looking. */
function givenBack(metadata: unknown): object {
  if (typeof metadata !== 'string') return typeof metadata === 'object' && metadata !== null ? metadata : {}
  try {
    const value: unknown = JSON.parse(metadata)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {
    // plain text
  }
  return metadata === '' ? {} : { metadata }
}

function wrdn(event: ServiceEvent, serviceId: string): OutMessage {
  return {
    value: encodeMessage('wrdn', {
      service_id: serviceId,
      job_id: event.job_id ?? '',
      error_encountered: event['error_encountered'] === true,
      file_name: textOf(event['file_name']),
      metadata: JSON.stringify({ ...givenBack(event['metadata']), nexstream_report: event['report'] ?? {} }),
      message: textOf(event['message'])
    })
  }
}

export default {
  id: 'ess',
  decode(message) {
    const id = schemaId(message)
    if (id === 'pl72') {
      const command = toStart(decodeJson(message).message as unknown as RunStart)
      messages.set(command, message)
      return command
    }
    if (id === '6s4t') return toStop(decodeJson(message).message as unknown as RunStop)
    return undefined
  },
  reply(command, reply, serviceId) {
    const start = messages.get(command)
    const echo =
      start !== undefined && reply.response === 'ACK' && reply.reply_topic !== undefined ? [{ value: start }] : []
    return [...echo, answ(command, reply, serviceId)]
  },
  event: (event, serviceId) => (event.event === 'writing_done' ? [wrdn(event, serviceId)] : [])
} satisfies Dialect
