// `nexstream kafka`: a Kafka broker in the foreground, for trying things.
import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { CodedError, errorText, type ToolRun } from '../../core/api/plugin.js'
import { untilStopped } from '../tools-daemon/tool-kit.js'
import { startKafka } from './broker/start.js'
import { readyBy } from './ready.js'

/** Docker when there is an engine, else Kafka's jars on Java; ends with Ctrl-C and leaves nothing behind but `--data`. */
const kafka: ToolRun = async (_args, flags, { connect, print, say }) => {
  const port = Number(flags['port'])
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new CodedError('CLI_USAGE', `--port ${String(flags['port'])}: not a port`)
  const data = flags['data']
  const kept = typeof data === 'string' ? { dataFolder: resolve(data) } : {}
  await requireFree(port)
  say('starting Kafka; the first time this fetches it')
  const running = await startKafka({ own: true, port, ...kept }, readyBy(connect))
  const stop = untilStopped()
  const after = kept.dataFolder === undefined ? 'all that is in it is lost' : `its data stay in ${kept.dataFolder}`
  say(
    `Kafka runs (${running.way}); topics are not made by use, see 'nexstream provision'; Ctrl-C ends it, and ${after}`
  )
  await print(running.brokers.join(','))
  try {
    await Promise.race([stop.ended, running.died])
  } catch (cause) {
    throw new CodedError('COMMAND_FAILED', errorText(cause), { cause })
  } finally {
    stop.done()
    await running.stop()
  }
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
