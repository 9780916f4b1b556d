// The JSON commands of the file writer of 2017–2020: FileWriter_new, FileWriter_stop, FileWriter_exit, file_writer_tasks_clear_all.
import {
  CodedError,
  type Command,
  type Dialect,
  type OutMessage,
  type Reply,
  type ServiceEvent
} from '../../core/api/plugin.js'
import { looksLikeObject, parseObject } from './json.js'

type Obj = Readonly<Record<string, unknown>>

/** Keys of the old commands that are known and mean nothing here: one broker, always readable files, no teams. */
const named = (value: Obj, keys: readonly string[]): Obj =>
  Object.fromEntries(keys.flatMap((key) => (value[key] === undefined || value[key] === '' ? [] : [[key, value[key]]])))

function toStart(value: Obj): Command {
  const command = { cmd: 'start', service: 'filewriter', ...named(value, ['job_id']) }
  const attributes = value['file_attributes'] as { file_name?: unknown } | undefined
  const fileName = attributes?.file_name
  const refuse = (path: string): never => {
    throw new CodedError('COMMAND_INVALID', `${path} is missing`, { path, fields: { command } })
  }
  const strict = value['abort_on_uninitialised_stream'] === true
  if (typeof value['job_id'] !== 'string') refuse('/job_id')
  if (typeof fileName !== 'string') refuse('/file_attributes/file_name')
  if (value['nexus_structure'] === undefined) refuse('/nexus_structure')
  return {
    ...command,
    msg_id: String(value['job_id']),
    file_name: fileName,
    nexus_structure: value['nexus_structure'],
    // That file writer dropped streams without a topic and wrote the rest
    ...(strict ? { lenient: false } : { on_missing_topic: 'skip' }),
    ...times(value, ['start_time', 'stop_time']),
    ...named(value, ['service_id'])
  }
}

/** 0 means not given. */
const times = (value: Obj, keys: readonly string[]): Obj =>
  Object.fromEntries(keys.flatMap((key) => (value[key] === undefined || value[key] === 0 ? [] : [[key, value[key]]])))

function toCommand(value: Obj): Command | undefined {
  const cmd = value['cmd']
  // A writer of another team
  if (value['teamid'] !== undefined && value['teamid'] !== 0) return undefined
  switch (typeof cmd === 'string' ? cmd.toLowerCase() : undefined) {
    case 'filewriter_new':
      return toStart(value)
    case 'filewriter_stop':
      return {
        cmd: 'stop',
        service: 'filewriter',
        ...named(value, ['job_id', 'service_id']),
        ...times(value, ['stop_time'])
      }
    case 'file_writer_tasks_clear_all':
      return { cmd: 'stop', service: 'filewriter', all: true }
    case 'filewriter_exit':
      return {
        cmd: 'exit',
        ...(typeof value['service_id'] === 'string' ? named(value, ['service_id']) : { everyone: true })
      }
    default:
      return undefined
  }
}

type Code = 'START' | 'CLOSE' | 'ERROR' | 'FAIL'

function event(code: Code, jobId: unknown, message: string, serviceId: string): OutMessage {
  const value = {
    type: 'filewriter_event',
    code,
    job_id: jobId ?? '',
    message,
    service_id: serviceId,
    timestamp: Date.now()
  }
  return { value: Buffer.from(JSON.stringify(value)) }
}

function reply(
  command: Command,
  { response, message, errors, job_id: id }: Reply,
  serviceId: string
): readonly OutMessage[] {
  const job = id ?? command['job_id']
  // A second start of one job was only logged: a FAIL would look like the end of the first
  if (errors?.some(({ code }) => code === 'JOB_EXISTS') === true) return []
  if (response === 'ERR') return [event('FAIL', job, message, serviceId)]
  return command.cmd === 'start' ? [event('START', job, message, serviceId)] : []
}

function ended({ event: name, job_id: id, ...rest }: ServiceEvent, serviceId: string): readonly OutMessage[] {
  if (name !== 'writing_done') return []
  const message = typeof rest['message'] === 'string' ? rest['message'] : ''
  const close = event('CLOSE', id, message, serviceId)
  return rest['error_encountered'] === true ? [event('ERROR', id, message, serviceId), close] : [close]
}

export default {
  id: 'filewriter-2018',
  decode(message) {
    return looksLikeObject(message) ? toCommand(parseObject(message)) : undefined
  },
  reply,
  event: ended
} satisfies Dialect
