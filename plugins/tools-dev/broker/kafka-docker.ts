// Apache Kafka in containers, through testcontainers.
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type * as testcontainers from 'testcontainers'
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
import { type BrokerNodes } from './kafka-jars.js'

/** Two Java programs, perhaps on a busy machine. */
const START_MS = 180_000
/** An orderly shutdown takes a second or two. */
const END_S = 30
const inside = '/tmp/nexstream'
const image = `apache/kafka:${KAFKA_VERSION}`
const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

type Testcontainers = typeof testcontainers

/** It is not installed with the package, which needs it for this only. */
async function loaded(): Promise<Testcontainers> {
  try {
    return await import('testcontainers')
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new Error('the package testcontainers is not installed (npm install testcontainers)', { cause: error })
  }
}

/** Throws when no Docker engine answers or the image cannot be had. */
export async function startDocker(setup: KafkaSetup): Promise<BrokerNodes> {
  const library = await loaded()
  const client = await library.getContainerRuntimeClient()
  const nodes = await places(setup)
  const guard = await OwnerGuard.open('nexstream-kafka-')
  const { folder } = guard
  let network: testcontainers.StartedNetwork | undefined
  let isStopping = false
  const ids: string[] = []
  const container = (index: number) => client.container.dockerode.getContainer(ids[index]!)
  const stop = async (): Promise<void> => {
    isStopping = true
    // Where the data are thrown away there is no need for an orderly shutdown
    if (setup.dataFolder !== undefined)
      await Promise.all(
        ids.map((_, i) =>
          container(i)
            .stop({ t: END_S })
            .catch(() => undefined)
        )
      ) // Ended by itself
    await Promise.all(ids.map((_, i) => container(i).remove({ force: true, v: true })))
    await network?.stop()
    await guard.close()
  }
  try {
    const joined = (network = await new library.Network().start())
    if (setup.tls) await makeCertificate(folder)
    // Its user is another one than ours
    for (const name of await readdir(folder)) await chmod(join(folder, name), 0o644)
    const files = (await readdir(folder)).map((name) => ({ source: join(folder, name), target: `${inside}/${name}` }))
    const startNode = async (_: NodePlace, index: number): Promise<void> => {
      const made = await nodeContainer({ library, setup, nodes, folder, files }, index)
      ids[index] = (await made.withNetwork(joined).start()).getId()
    }
    await Promise.all(nodes.map(startNode))
  } catch (error) {
    await stop()
    throw error
  }
  const endOf = async (_: NodePlace, index: number): Promise<never> => {
    await container(index).wait()
    if (isStopping) return new Promise(() => undefined)
    const log = await container(index).logs({ stdout: true, stderr: true, tail: 20 })
    throw new Error(`Kafka ended: ${log.toString().slice(-1500)}`)
  }
  const died = Promise.race(nodes.map(endOf))
  died.catch(() => undefined) // Whoever waits for readiness sees it
  return {
    nodes,
    tlsFolder: folder,
    stop,
    kill9: async (index) => void (await container(index).kill({ signal: 'SIGKILL' })),
    restart: async (index) => void (await container(index).start()),
    freeze: async (index) => void (await container(index).pause()),
    thaw: async (index) => void (await container(index).unpause()),
    died
  }
}

interface Plan {
  readonly library: Testcontainers
  readonly setup: KafkaSetup
  readonly nodes: readonly NodePlace[]
  /** Of what is copied into the containers. */
  readonly folder: string
  readonly files: readonly { readonly source: string; readonly target: string }[]
}

async function nodeContainer(
  { library, setup, nodes, folder, files }: Plan,
  index: number
): Promise<testcontainers.GenericContainer> {
  const { listeners, peerHost } = nodes[index]!
  const file = join(folder, `node-${index + 1}.properties`)
  await writeFile(file, serverProperties(setup, nodes, index), { mode: 0o644 })
  const format = formatArguments(setup, `${inside}/server.properties`).map(quote).join(' ')
  const libs = `-cp '/opt/kafka/libs/*'`
  const made = new library.GenericContainer(image)
    .withEntrypoint(['/bin/sh', '-c'])
    .withCommand([
      `java -XX:TieredStopAtLevel=1 ${libs} kafka.tools.StorageTool ${format} && exec java -Xmx512m ${libs} kafka.Kafka ${inside}/server.properties`
    ])
    .withCopyFilesToContainer([...files, { source: file, target: `${inside}/server.properties` }])
    .withExposedPorts(...listeners.map(({ bindPort }) => ({ container: bindPort, host: bindPort })))
    .withNetworkAliases(peerHost)
    .withStartupTimeout(START_MS)
  const kept = await keptFolder(setup, index)
  if (kept === undefined) return made
  // Written by our user
  const user = [process.getuid?.(), process.getgid?.()].join(':')
  return made.withBindMounts([{ source: kept, target: `${inside}-data` }]).withUser(user)
}

/** A folder of ours for the data. */
async function keptFolder({ dataFolder }: KafkaSetup, index: number): Promise<string | undefined> {
  if (dataFolder === undefined) return undefined
  const folder = join(dataFolder, `node-${index + 1}`)
  await mkdir(folder, { recursive: true })
  return folder
}

/** Ports are the same inside and outside, so that what is advertised is right for the clients on the host. */
async function places(setup: KafkaSetup): Promise<NodePlace[]> {
  const names = listenersOf(setup)
  const count = setup.brokers ?? 1
  const ports = await freePorts(count * names.length)
  return Array.from({ length: count }, (_, i) => ({
    bind: '0.0.0.0',
    peerHost: `kafka-${i + 1}`,
    controllerPort: 9093,
    internalPort: 9094,
    listeners: names.map((name) => {
      const free = ports.pop()!
      const port = i === 0 && name === 'plaintext' ? (setup.port ?? free) : free
      return { name, bindPort: port, advertised: `127.0.0.1:${port}` }
    }),
    dataFolder: `${inside}-data`,
    tlsFolder: inside
  }))
}
