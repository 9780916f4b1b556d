// Entry of the thread of write jobs: one job after the other.
import { getHeapStatistics } from 'node:v8'
import {
  CodedError,
  type Finding,
  type LogLevel,
  type ReaderOptions,
  type ThreadContext,
  errorText
} from '../../../core/api/plugin.js'
import { FetchingReader, type JobReader } from './fetch/reader.js'
import { FetchThreads } from './fetch/threads.js'
import { finishedBefore } from './finished.js'
import { type FromWorker, type ToWorker, type WriteSpec } from './protocol.js'
import { Rehearsal } from './rehearsal/rehearsal.js'
import { WriteRun } from './run.js'

/** A thread whose last job left more behind than this is replaced by a new one. */
const KEPT_HEAP_BYTES = 96 << 20

type Say = (message: FromWorker) => void

export default function main(context: ThreadContext): void {
  const { port } = context
  const fetching = new FetchThreads((entry) => context.thread(entry))
  const close = async (): Promise<void> => {
    await fetching.close()
    await context.close()
  }
  const say: Say = (message) => port.postMessage(message)
  let run: WriteRun | undefined
  const begin = async (spec: WriteSpec): Promise<void> => {
    let fresh = true
    const report: Say = (message) => {
      // A job that failed, perhaps in a way nobody foresaw, may have left anything behind
      if (message.type === 'done' ? message.end.error : message.type === 'refused' && message.code === 'JOB_FAILED')
        fresh = false
      say(message)
    }
    await writeJob(context, fetching, spec, report, (made) => (run = made))
    run = undefined
    if (fresh && getHeapStatistics().used_heap_size < KEPT_HEAP_BYTES) say({ type: 'idle' })
    else await close()
  }
  let rehearsal: Rehearsal | undefined
  const rehearse = async (mostBusyMs: number): Promise<void> => {
    rehearsal = new Rehearsal(context)
    // Without one, only the first job is slower
    const written = await rehearsal.perform(mostBusyMs).catch(() => 0)
    rehearsal = undefined
    say({ type: 'rehearsed', written })
  }
  port.on('message', (message: ToWorker) => {
    if (message.type === 'start') {
      rehearsal?.stop()
      void begin(message.spec).catch(refuse(say))
    } else if (message.type === 'rehearse') void rehearse(message.mostBusyMs)
    else if (message.type === 'end') void close()
    else run?.hear(message)
  })
  say({ type: 'idle' })
}

/** Never rejects: what goes wrong is said. */
async function writeJob(
  { parts, kafka: connect }: ThreadContext,
  fetching: FetchThreads,
  spec: WriteSpec,
  say: Say,
  begun: (run: WriteRun) => void
): Promise<void> {
  let over = false
  const tell: Say = (message) => {
    if (!over) say(message)
  }
  try {
    const before = await finishedBefore(spec)
    if (before !== undefined) {
      tell({ type: 'ready', file: before.file, findings: [], streams: before.report?.streams.length ?? 0 })
      return tell({ type: 'done', end: before })
    }
    const log = (level: LogLevel, message: string): void => tell({ type: 'log', level, message })
    const kafka = connect(log)
    const { fetchThreads = 0 } = spec.options
    const reader = (options: ReaderOptions): JobReader =>
      fetchThreads === 0 ? kafka.reader(options) : new FetchingReader(fetching.take(fetchThreads), options, log)
    try {
      const run = new WriteRun(spec, parts, { kafka, reader }, tell)
      begun(run)
      await run.run()
    } finally {
      await kafka.close()
    }
  } catch (error) {
    refuse(tell)(error)
  }
  over = true
}

const refuse = (say: Say) => (error: unknown) => {
  const known = error instanceof CodedError
  const message = errorText(error)
  const findings = known ? ((error.fields['findings'] as Finding[] | undefined) ?? []) : []
  const path = known ? error.path : undefined
  say({
    type: 'refused',
    code: known ? error.code : 'JOB_FAILED',
    message,
    findings,
    ...(path !== undefined && { path })
  })
}
