// Keeps what Java makes of Kafka's classes: with it a broker needs a third of the processor time to come up. The suite starts twenty.
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { classesFolder, kafkaJars, startJars } from '../../plugins/tools-dev/broker/kafka-jars.js'
import { cached } from '../../plugins/tools-dev/fetched/cache.js'
import { findJava } from '../../plugins/tools-dev/fetched/java.js'
import { started } from './kafka.js'

/** Java writes them when it ends, which takes its time on a busy machine. */
const END_MS = 300_000

/** Made the first time, by a broker that comes up and ends again; used by all that start after that. */
export async function keepKafkaClasses(): Promise<void> {
  await cached(await classesFolder(await findJava(), await kafkaJars()), async (folder) => {
    const file = join(folder, 'kafka.jsa')
    const dataFolder = join(folder, 'data') // Only a broker that keeps its data is ended in order
    const flags = [`-XX:ArchiveClassesAtExit=${file}`]
    const running = await started(await startJars({ dataFolder }, { flags, endMs: END_MS }))
    await running.stop()
    await rm(dataFolder, { recursive: true, force: true })
    if (!existsSync(file)) throw new Error("Java did not keep Kafka's classes")
  })
}
