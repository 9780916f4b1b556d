// Entry of the thread of write jobs: the same plugins and Kafka as the daemon, one job after the other.
import { getHeapStatistics } from 'node:v8'
import { parentPort, workerData } from 'node:worker_threads'
import { CodedError } from '../../../core/api/errors.js'
import { connectKafka } from '../../../core/kafka/client.js'
import { loadPlugins } from '../../../core/loader.js'
import { partsOf } from '../structure/parts.js'
import { type Parts } from '../structure/structure.js'
import { type Finding } from '../../../core/api/plugin.js'
import { type WorkerConfig } from './config.js'
import { type FromWorker, type ToWorker, type WriteSpec } from './protocol.js'
import { WriteRun } from './run.js'

/** A thread whose last job left more behind than this is replaced by a new one. */
const keptHeapBytes = 96 << 20

type Say = (message: FromWorker) => void
const port = parentPort
const say: Say = (message) => port?.postMessage(message)

async function main(config: WorkerConfig): Promise<void> {
  const loaded = await loadPlugins(config)
  const parts = partsOf(loaded.host)
  let run: WriteRun | undefined
  const end = async (): Promise<void> => {
    await loaded.close()
    port?.close()
  }
  const begin = async (spec: WriteSpec): Promise<void> => {
    let fresh = true
    const report: Say = (message) => {
      // a job that failed, perhaps in a way nobody foresaw, may have left anything behind
      if (message.type === 'done' ? message.end.error : message.type === 'refused' && message.code === 'JOB_FAILED')
        fresh = false
      say(message)
    }
    await writeJob(config, parts, spec, report, (made) => (run = made))
    run = undefined
    if (fresh && getHeapStatistics().used_heap_size < keptHeapBytes) say({ type: 'idle' })
    else await end()
  }
  port?.on('message', (message: ToWorker) => {
    if (message.type === 'start') void begin(message.spec).catch(refuse(say))
    else if (message.type === 'end') void end()
    else run?.hear(message)
  })
  say({ type: 'idle' })
}

/** Never rejects: what goes wrong is said. */
async function writeJob(
  config: WorkerConfig,
  parts: Parts,
  spec: WriteSpec,
  say: Say,
  begun: (run: WriteRun) => void
): Promise<void> {
  let over = false
  const tell: Say = (message) => {
    if (!over) say(message)
  }
  try {
    const kafka = connectKafka(config.kafka, (level, message) => tell({ type: 'log', level, message }))
    try {
      const run = new WriteRun(spec, parts, kafka, tell)
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
  const message = error instanceof Error ? error.message : String(error)
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

main(workerData as WorkerConfig).catch((error: unknown) => {
  refuse(say)(error)
  // the port keeps the thread alive otherwise
  port?.close()
})
