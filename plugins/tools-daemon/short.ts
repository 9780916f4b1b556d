// `nexstream forward` and `write`: the start commands of every day, in short.
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CodedError,
  exitCodes,
  type JobInfo,
  parseDuration,
  type ToolContext,
  type ToolFlags,
  type ToolRun
} from '../../core/api/plugin.js'
import { readJson } from '../../schemas/index.js'
import { ask, bytes, moment, pvNamed, showReply, untilStopped } from './tool-kit.js'

const usage = (message: string): CodedError => new CodedError('CLI_USAGE', message)
const text = (value: ToolFlags[string]): string | undefined => (typeof value === 'string' ? value : undefined)

/** Where commands go; --topic is that of the data here. */
const toDaemon = (flags: ToolFlags): ToolFlags => ({ ...flags, topic: flags['commandTopic'] })

/** `nexstream forward SE:TEMP pva://MOT:X --topic T`; with --stop they are no longer forwarded. */
export const forward: ToolRun = async (words, flags, context) => {
  const { topic, converter, stop } = flags
  if (stop !== true && text(topic) === undefined) throw usage('no topic for the values; give --topic TOPIC')
  const streams = words.map((word = '') => {
    const { protocol, name: channel } = pvNamed(word)
    const named = { channel, ...(protocol !== undefined && { protocol }), ...(text(topic) !== undefined && { topic }) }
    if (stop === true) return named
    return { ...named, converter, ...(flags['lossless'] === true && { lossless: true }) }
  })
  const command = { cmd: stop === true ? 'stop' : 'start', service: 'forwarder', streams }
  return showReply(context, flags, await ask(context, toDaemon(flags), command))
}

/** `nexstream write STRUCTURE --name F --for 10min`; with --wait until the file is there. */
export const write: ToolRun = async ([file = ''], flags, context) => {
  const length = text(flags['for'])
  if (length !== undefined && text(flags['to']) !== undefined) throw usage('give --for or --to, not both')
  const at = (flag: 'from' | 'to'): number | undefined => {
    const given = text(flags[flag])
    return given === undefined ? undefined : moment(given, context.say)
  }
  const startMs = at('from')
  const stopMs = length === undefined ? at('to') : (startMs ?? Date.now()) + parseDuration(length)
  if (stopMs !== undefined && stopMs <= (startMs ?? Date.now()))
    throw usage('the end is not after the begin: see --from (default now), --to')
  if (flags['wait'] === true && stopMs === undefined) throw usage('--wait would wait for ever; give --for or --to')
  const jobId = text(flags['job'])
  const command = {
    cmd: 'start',
    service: 'filewriter',
    ...(jobId !== undefined && { job_id: jobId }),
    file_name: text(flags['name']) ?? '',
    nexus_structure: await structureIn(file, context),
    ...(startMs !== undefined && { start_time: startMs }),
    ...(stopMs !== undefined && { stop_time: stopMs })
  }
  const topics = toDaemon(flags)
  const reply = await ask(context, topics, command)
  const code = await showReply(context, flags, reply)
  if (code !== exitCodes.done || flags['wait'] !== true) return code
  return follow(reply.job_id ?? '', stopMs ?? 0, { topics, isJson: flags['json'] === true }, context)
}

/** A structure, or the one in a start command. */
async function structureIn(file: string, { readText }: ToolContext): Promise<unknown> {
  const json = parsed(await readText(file), file)
  const isObject = typeof json === 'object' && json !== null && !Array.isArray(json)
  if (!isObject) throw new CodedError('COMMAND_JSON', `${file} is no structure: a JSON object with 'children'`)
  return 'nexus_structure' in json ? json.nexus_structure : json
}

function parsed(content: string, file: string): unknown {
  try {
    return readJson(content)
  } catch (cause) {
    throw new CodedError('COMMAND_JSON', `${basename(file)} is no valid JSON: ${(cause as Error).message}`, { cause })
  }
}

const EVERY_MS = 1000

/** What is shown of the job of a file. */
interface FileProgress {
  readonly file_name?: string
  readonly message?: string | null
  readonly messages?: number
  readonly file_bytes?: number
}

/** Until the job has ended; Ctrl-C ends the waiting, not the job. Exit code 1 when it failed. Throws JOB_UNKNOWN. */
async function follow(
  jobId: string,
  stopMs: number,
  { topics, isJson }: { readonly topics: ToolFlags; readonly isJson: boolean },
  context: ToolContext
): Promise<number> {
  const { print, printJson, progress, say, visible } = context
  const stop = untilStopped()
  try {
    for (;;) {
      const reply = await ask(context, topics, { cmd: 'jobs', job_id: jobId })
      const [job] = (reply.result ?? []) as readonly JobInfo[]
      if (job === undefined) throw new CodedError('JOB_UNKNOWN', `${reply.message}; was the daemon started again?`)
      const state = String(job['state'])
      const { file_name: file, message, messages, file_bytes: size } = job as FileProgress
      if (job['ended'] !== null) {
        progress('')
        if (isJson) await printJson(job)
        else await print(visible(`${state} ${file ?? ''}  ${message ?? ''}`.trim()))
        return state === 'done' ? exitCodes.done : exitCodes.failed
      }
      const left = Math.max(0, Math.round((stopMs - Date.now()) / 1000))
      progress(`${state}: ${messages ?? 0} messages, ${bytes(size ?? 0)}, ${left} s left`)
      await Promise.race([sleep(EVERY_MS), stop.ended])
      if (stop.signal.aborted) {
        say(`job ${jobId} goes on; 'nexstream stop filewriter job_id=${jobId}' ends it`)
        return exitCodes.done
      }
    }
  } finally {
    progress('')
    stop.done()
  }
}
