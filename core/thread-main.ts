// Entry of the worker threads of services: loads the plugins, then hands over to the module of the service.
import { parentPort, workerData } from 'node:worker_threads'
import { type ThreadMain } from './api/plugin.js'
import { connectKafka } from './kafka/client.js'
import { loadPlugins } from './loader.js'
import { lookupOf } from './lookup.js'
import { startThread, type ThreadData } from './thread.js'

const { config, entry } = workerData as ThreadData
const port = parentPort
if (port === null) throw new Error('this is the entry of a worker thread')
const loaded = await loadPlugins(config)
const { default: main } = (await import(entry)) as { default: ThreadMain }
await main({
  port,
  parts: lookupOf(loaded.host),
  kafka: (log, brokers) => connectKafka(brokers === undefined ? config.kafka : { brokers }, log),
  thread: (entry) => startThread({ ...config, plugins: [], builtin: [] }, entry),
  close: async () => {
    await loaded.close()
    port.close()
  }
})
