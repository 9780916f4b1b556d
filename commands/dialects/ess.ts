// The FlatBuffers commands of the field's file writer: pl72 and 6s4t in, answ and wrdn out.
import {
  CodedError,
  type Command,
  type Dialect,
  type OutMessage,
  type Reply,
  type ServiceEvent
} from '../../core/api/plugin.js'
import { writeJson } from '../../core/api/json.js'
import { schemaId, readJson } from '../../schemas/index.js'
import {
  ActionOutcome, ActionResponse, ActionType, Builder, FinishedWriting, RunStart, RunStop, type SpectraDetectorMapping, verified
} from '../../schemas/control.js' // prettier-ignore

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Start messages by the command made of them: an accepted one is repeated on the control topic before its answer. */
const messages = new WeakMap<Command, Buffer>()
/** Times beyond this are "no stop time": clients send the start plus ten years, or the largest number. */
const OPEN_END_MS = 9 * 365.25 * 86_400_000

function refuse(message: string, path: string, command: Partial<Command>): never {
  throw new CodedError('COMMAND_INVALID', message, { path, fields: { command: { ...command, service: 'filewriter' } } })
}

/** Without the texts that are absent or empty. */
const optional = (entries: Readonly<Record<string, string | null>>): object =>
  Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== null && value !== ''))

function toStart(start: RunStart): Command {
  const jobId = start.jobId() ?? ''
  const needed = { filename: start.filename() ?? '', nexus_structure: start.nexusStructure() ?? '' }
  const answer = { cmd: 'start', msg_id: jobId, job_id: jobId }
  if (!uuid.test(jobId)) refuse('job_id must be a UUID', '/job_id', answer)
  for (const [key, value] of Object.entries(needed)) if (value === '') refuse(`${key} is missing`, `/${key}`, answer)
  const startMs = Number(start.startTime())
  const stopMs = Number(start.stopTime())
  const endless = stopMs === 0 || stopMs - (startMs || Date.now()) >= OPEN_END_MS
  const map = start.detectorSpectrumMap()
  return {
    ...answer,
    service: 'filewriter',
    file_name: needed.filename,
    nexus_structure: needed.nexus_structure,
    ...(startMs === 0 ? {} : { start_time: startMs }),
    ...(endless ? {} : { stop_time: stopMs }),
    ...(start.nPeriods() === 1 ? {} : { periods: start.nPeriods() }),
    ...optional({
      run_name: start.runName(),
      instrument_name: start.instrumentName(),
      metadata: start.metadata(),
      control_topic: start.controlTopic(),
      service_id: start.serviceId()
    }),
    ...(map === null ? {} : { detector_spectrum_map: toMap(map) })
  }
}

// One by one: flatc's spectrumArray() wants memory that is aligned
const toMap = (map: SpectraDetectorMapping) => ({
  spectra: Array.from({ length: map.spectrumLength() }, (_, i) => map.spectrum(i) ?? 0),
  detectors: Array.from({ length: map.detectorIdLength() }, (_, i) => map.detectorId(i) ?? 0)
})

function toStop(stop: RunStop): Command {
  const jobId = stop.jobId() ?? ''
  const answer = { cmd: 'stop', msg_id: stop.commandId() ?? '', job_id: jobId }
  if (jobId === '') refuse('job_id is missing', '/job_id', answer)
  const stopMs = Number(stop.stopTime())
  return {
    ...answer,
    service: 'filewriter',
    ...(stopMs === 0 ? {} : { stop_time: stopMs }),
    ...optional({ service_id: stop.serviceId() })
  }
}

/** Peers answer 201, 400 or 500. */
const statusCode = ({ response, status }: Reply): number => (response === 'ACK' ? 201 : status < 500 ? 400 : 500)

function answ(command: Command, reply: Reply, serviceId: string): OutMessage {
  const stopTime = (reply.result as { stop_time_ms?: number } | undefined)?.stop_time_ms ?? command['stop_time'] ?? 0
  const builder = new Builder(512)
  const root = ActionResponse.createActionResponse(
    builder,
    builder.createString(serviceId),
    builder.createString(textOf(command['job_id']) || (reply.job_id ?? '')),
    command.cmd === 'stop' ? ActionType.SetStopTime : ActionType.StartJob,
    reply.response === 'ACK' ? ActionOutcome.Success : ActionOutcome.Failure,
    statusCode(reply),
    // What was refused may be no time at all
    BigInt(typeof stopTime === 'number' && stopTime > 0 ? Math.trunc(stopTime) : 0),
    builder.createString(reply.message),
    builder.createString(command.msg_id ?? '')
  )
  ActionResponse.finishActionResponseBuffer(builder, root)
  return { value: builder.asUint8Array() }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** What the client sent, at the place where it looks; always an object of JSON, which a client parses without looking. */
function givenBack(metadata: unknown): object {
  if (typeof metadata !== 'string') return typeof metadata === 'object' && metadata !== null ? metadata : {}
  try {
    const value = readJson(metadata)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {
    // Plain text
  }
  return metadata === '' ? {} : { metadata }
}

function wrdn(event: ServiceEvent, serviceId: string): OutMessage {
  const builder = new Builder(4096)
  const metadata = { ...givenBack(event['metadata']), nexstream_report: event['report'] ?? {} }
  const root = FinishedWriting.createFinishedWriting(
    builder,
    builder.createString(serviceId),
    builder.createString(event.job_id ?? ''),
    event['error_encountered'] === true,
    builder.createString(textOf(event['file_name'])),
    builder.createString(writeJson(metadata)),
    builder.createString(textOf(event['message']))
  )
  FinishedWriting.finishFinishedWritingBuffer(builder, root)
  return { value: builder.asUint8Array() }
}

export default {
  id: 'ess',
  decode(message) {
    const id = schemaId(message)
    if (id === 'pl72') {
      const command = toStart(RunStart.getRootAsRunStart(verified(message, id)))
      messages.set(command, message)
      return command
    }
    if (id === '6s4t') return toStop(RunStop.getRootAsRunStop(verified(message, id)))
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
