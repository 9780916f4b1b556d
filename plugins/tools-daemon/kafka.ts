// `nexstream kafka`: a Kafka broker in the foreground, for trying things.
import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { CodedError, type ToolRun } from '../../core/api/plugin.js'

interface Starter {
  startKafka(options: {
    own: boolean
    port: number
    dataFolder?: string
  }): Promise<{ way: string; brokers: string[]; stop(): Promise<void> }>
}

/** Docker when there is an engine, else Kafka's jars on Java; ends with Ctrl-C and leaves nothing behind but `--data`. */
const kafka: ToolRun = async (_args, flags, { print, say }) => {
  const port = Number(flags['port'])
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new CodedError('CLI_USAGE', `--port ${String(flags['port'])}: not a port`)
  const starter = new URL('../../test/support/kafka.js', import.meta.url).href
  let module: Starter
  try {
    module = (await import(starter)) as Starter
  } catch (cause) {
    throw new CodedError('KAFKA_NONE', `this works in a clone of the repository only: ${(cause as Error).message}`, {
      cause
    })
  }
  const data = flags['data']
  const kept = typeof data === 'string' ? { dataFolder: resolve(data) } : {}
  await requireFree(port)
  say('starting Kafka; the first time this fetches it')
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
  const running = await module.startKafka({ own: true, port, ...kept })
  const after = kept.dataFolder === undefined ? 'all that is in it is lost' : `its data stay in ${kept.dataFolder}`
  say(
    `Kafka runs (${running.way}); topics are not made by use, see 'nexstream provision'; Ctrl-C ends it, and ${after}`
  )
  await print(running.brokers.join(','))
  const awake = setInterval(() => undefined, 2 ** 30) // A broker in another process keeps nothing alive here
  await stopped
  clearInterval(awake)
  await running.stop()
}

export default kafka

/** Kafka would say so a minute later, if at all: somebody else may answer there. */
async function requireFree(port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const server = createServer()
    server.once('error', (cause) =>
      reject(
        new CodedError('CLI_USAGE', `port ${port} is not free (${cause.message}); take another with --port`, { cause })
      )
    )
    server.listen(port, '127.0.0.1', () => server.close(() => resolve()))
  })
}
