// Apache Kafka as local Java processes, from the jars that pom.xml pins.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cacheFolder, cached } from '../fetched/cache.js'
import { copyJars, findJava, versionOf } from '../fetched/java.js'
import { freePorts } from '../fetched/ports.js'
import { OwnerGuard } from '../guard.js'
import {
  type KafkaSetup,
  type NodePlace,
  KAFKA_VERSION,
  formatArguments,
  listenersOf,
  makeCertificate,
  serverProperties
} from './kafka-config.js'

const run = promisify(execFile)
/** An orderly shutdown takes a second or two. */
const END_MS = 20_000

/** How Java is told to run Kafka. */
export interface JavaOptions {
  /** More flags for the brokers. */
  readonly flags?: readonly string[]
  /** How long an orderly shutdown may take. */
  readonly endMs?: number
}

/** A cluster as started by one of the ways; `start.ts` adds the waiting. */
export interface BrokerNodes {
  readonly nodes: readonly NodePlace[]
  readonly tlsFolder: string
  stop(): Promise<void>
  kill9(index: number): Promise<void>
  restart(index: number): Promise<void>
  freeze(index: number): Promise<void>
  thaw(index: number): Promise<void>
  /** Rejects when a node ends by itself, with the end of its log. */
  readonly died: Promise<never>
}

const pom = fileURLToPath(new URL('../../../../plugins/tools-dev/broker/pom.xml', import.meta.url))

/** Folder with Kafka's jars; downloaded by Maven the first time. */
export async function kafkaJars(): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(pom))
    .digest('hex')
    .slice(0, 8)
  return cached(`kafka-${KAFKA_VERSION}-${hash}`, (folder) => copyJars(pom, folder))
}

const log4j = `status=error
appenders=console
appender.console.type=Console
appender.console.name=STDOUT
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=[%d] %p %m (%c{1})%n
rootLogger.level=warn
rootLogger.appenderRefs=stdout
rootLogger.appenderRef.stdout.ref=STDOUT
`

/** Folder in the cache for what this Java made of Kafka's classes; holds `kafka.jsa` once the tests were prepared. */
export async function classesFolder(java: string, jars: string): Promise<string> {
  const version = createHash('sha256')
    .update(await versionOf(java))
    .digest('hex')
    .slice(0, 8)
  return `${basename(jars)}-classes-${version}`
}

async function keptClasses(java: string, jars: string): Promise<string[]> {
  const file = join(cacheFolder(), await classesFolder(java, jars), 'kafka.jsa')
  return existsSync(file) ? [`-XX:SharedArchiveFile=${file}`] : []
}

export async function startJars(setup: KafkaSetup, options: JavaOptions = {}): Promise<BrokerNodes> {
  const java = await findJava()
  const jars = await kafkaJars()
  const kept = await keptClasses(java, jars)
  const { flags = [], endMs = END_MS } = options
  const guard = await OwnerGuard.open('nexstream-kafka-')
  const root = guard.folder
  try {
    if (setup.tls) await makeCertificate(root)
    await writeFile(join(root, 'log4j2.properties'), log4j)
    const how = { java, classPath: ['-cp', join(jars, '*'), ...kept], flags, endMs }
    return new JarNodes(how, root, setup, await places(setup, root), () => guard.close()).start()
  } catch (error) {
    await guard.close()
    throw error
  }
}

async function places(setup: KafkaSetup, root: string): Promise<NodePlace[]> {
  const names = listenersOf(setup)
  const count = setup.brokers ?? 1
  const ports = await freePorts(count * (names.length + 2))
  return Array.from({ length: count }, (_, i) => ({
    bind: '127.0.0.1',
    peerHost: '127.0.0.1',
    controllerPort: ports.pop()!,
    internalPort: ports.pop()!,
    listeners: names.map((name) => {
      const free = ports.pop()!
      const port = i === 0 && name === 'plaintext' ? (setup.port ?? free) : free
      return { name, bindPort: port, advertised: `127.0.0.1:${port}` }
    }),
    dataFolder: join(setup.dataFolder ?? root, `node-${i + 1}`),
    tlsFolder: root
  }))
}

class JarNodes implements BrokerNodes {
  readonly tlsFolder: string
  readonly died: Promise<never>
  readonly #children: (ChildProcess | undefined)[] = []
  #fail: (error: Error) => void = () => undefined
  #stopping = false

  constructor(
    readonly how: Required<JavaOptions> & { readonly java: string; readonly classPath: readonly string[] },
    readonly root: string,
    readonly setup: KafkaSetup,
    readonly nodes: NodePlace[],
    readonly close: () => Promise<void>
  ) {
    this.tlsFolder = root
    this.died = new Promise((_, reject) => (this.#fail = reject))
    this.died.catch(() => undefined) // Whoever waits for readiness sees it; later deaths are the test's business
  }

  async start(): Promise<this> {
    await Promise.all(
      this.nodes.map(async (node, i) => {
        await mkdir(node.dataFolder, { recursive: true })
        const file = join(this.root, `node-${i + 1}.properties`)
        await writeFile(file, serverProperties(this.setup, this.nodes, i))
        const args = ['-XX:TieredStopAtLevel=1', ...this.how.classPath, 'kafka.tools.StorageTool']
        await run(this.how.java, [...args, ...formatArguments(this.setup, file)])
        await this.restart(i)
      })
    )
    return this
  }

  async restart(index: number): Promise<void> {
    const log = openSync(join(this.root, `node-${index + 1}.log`), 'a')
    const config = join(this.root, `node-${index + 1}.properties`)
    const memory = ['-Xmx512m', '-Xms128m', `-Dlog4j2.configurationFile=${join(this.root, 'log4j2.properties')}`]
    const own = (process.env['NEXSTREAM_TEST_JAVA'] ?? '').split(' ').filter((flag) => flag !== '')
    const child = spawn(
      this.how.java,
      [...memory, ...own, ...this.how.flags, ...this.how.classPath, 'kafka.Kafka', config],
      {
        stdio: ['ignore', log, log],
        cwd: this.root,
        detached: true // Ctrl-C is for the owner, who stops the broker when its own work is done
      }
    )
    closeSync(log)
    this.#children[index] = child
    await once(child, 'spawn')
    // The guard kills what these files name
    await writeFile(this.#pidFile(index), String(child.pid))
    child.once('exit', () => void this.#ended(index, child))
    child.unref()
  }

  #pidFile(index: number): string {
    return join(this.root, `node-${index + 1}.pid`)
  }

  async #ended(index: number, child: ChildProcess): Promise<void> {
    if (this.#children[index] !== child || this.#stopping) return
    const log = await readFile(join(this.root, `node-${index + 1}.log`), 'utf8').catch(() => '')
    this.#fail(new Error(`Kafka ended (code ${child.exitCode}, ${child.signalCode}): ${log.slice(-1500)}`))
  }

  async kill9(index: number): Promise<void> {
    const child = this.#children[index]
    if (!child) return
    this.#children[index] = undefined
    if (child.exitCode === null && child.signalCode === null) {
      child.ref()
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    await rm(this.#pidFile(index), { force: true })
  }

  freeze(index: number): Promise<void> {
    this.#children[index]?.kill('SIGSTOP')
    return Promise.resolve()
  }

  thaw(index: number): Promise<void> {
    this.#children[index]?.kill('SIGCONT')
    return Promise.resolve()
  }

  /** Asks a node to end, and waits for it for a while. */
  async #end(index: number): Promise<void> {
    const child = this.#children[index]
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.ref()
    child.kill('SIGTERM')
    await Promise.race([once(child, 'exit'), sleep(this.how.endMs, undefined, { ref: false })])
  }

  async stop(): Promise<void> {
    this.#stopping = true
    // Where the data is thrown away there is no need for an orderly shutdown
    if (this.setup.dataFolder !== undefined) await Promise.all(this.nodes.map((_, i) => this.#end(i)))
    await Promise.all(this.nodes.map((_, i) => this.kill9(i)))
    await this.close()
  }
}
