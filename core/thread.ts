// Worker threads of services: each loads the kinds of parts that it asks for again, and can reach the same Kafka.
import { basename, dirname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { type ThreadPartKind } from './api/plugin.js'
import { type LoadedConfig } from './config.js'
import { type Loaded, type LoadOptions } from './loader.js'

/** What a thread needs to load the same plugins and reach the same Kafka; survives structuredClone. */
interface ThreadConfig extends LoadOptions {
  /** Options of `connectKafka`. */
  readonly kafka: Readonly<Record<string, unknown>>
}

export interface ThreadData {
  readonly config: ThreadConfig
  /** URL of the plugin's module. */
  readonly entry: string
}

export const threadPartKinds: readonly ThreadPartKind[] = ['converter', 'writer', 'readout']

/** Of the built-in plugins only those that bring one of these kinds of parts. */
export function threadConfigOf(
  { config, baseFolder }: LoadedConfig,
  { host, plugins }: Loaded,
  kinds: readonly ThreadPartKind[]
): ThreadConfig {
  const owners = new Set(kinds.flatMap((kind) => host.ids(kind).map((id) => host.owner(kind, id))))
  const folder = ({ file }: { file: string }): string => basename(dirname(file))
  const builtin = plugins.filter((plugin) => plugin.builtin)
  const needed = builtin.filter(({ name }) => owners.has(name)).map(folder)
  const others = new Set(builtin.map(folder).filter((name) => !needed.includes(name)))
  return {
    kafka: config.kafka,
    plugins: config.plugins.filter(({ use }) => !others.has(use)),
    builtin: needed,
    baseFolder,
    checked: true
  }
}

/** MiB. What V8 takes by itself (48) is paid for in fresh pages: a tenth of a first job's CPU, 20 to 60 MB of a job. */
const YOUNG_GENERATION = 12

export function startThread(config: ThreadConfig, entry: URL): Worker {
  const workerData: ThreadData = { config, entry: entry.href }
  const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_GENERATION }
  return new Worker(new URL('./thread-main.js', import.meta.url), { workerData, resourceLimits })
}
