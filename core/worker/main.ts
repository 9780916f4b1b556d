// Entry of a write job's thread: the same plugins and Kafka as the daemon, one job, then the end.
import { parentPort, workerData } from 'node:worker_threads'
import { CodedError } from '../errors.js'
import { connectKafka } from '../kafka/client.js'
import { loadPlugins } from '../loader.js'
import { partsOf } from '../nexus/parts.js'
import { type Finding } from '../plugin.js'
import { type WorkerConfig } from './config.js'
import { type FromWorker, type ToWorker, type WriteSpec } from './protocol.js'
import { WriteRun } from './run.js'

const say = (message: FromWorker): void => parentPort?.postMessage(message)

async function main({ spec, config }: { spec: WriteSpec; config: WorkerConfig }): Promise<void> {
  const kafka = connectKafka(config.kafka, (level, message) => say({ type: 'log', level, message }))
  try {
    const loaded = await loadPlugins(config)
    try {
      const run = new WriteRun(spec, partsOf(loaded.host), kafka, say)
      parentPort?.on('message', (message: ToWorker) => run.hear(message))
      await run.run()
    } finally {
      await loaded.close()
    }
  } finally {
    await kafka.close()
  }
}

function refuse(error: unknown): void {
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

main(workerData as { spec: WriteSpec; config: WorkerConfig })
  .catch(refuse)
  // the port keeps the thread alive otherwise
  .finally(() => parentPort?.close())
