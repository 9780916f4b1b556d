// Apache Kafka in containers, through testcontainers.
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StartedNetwork } from 'testcontainers'
import {
  type KafkaSetup,
  type NodePlace,
  KAFKA_VERSION,
  formatArguments,
  listenersOf,
  makeCertificate,
  serverProperties
} from './kafka-config.js'
import { type Cluster } from './kafka-jars.js'
import { freePorts } from './ports.js'

/** Two Java programs, perhaps on a busy machine. */
const START_MS = 180_000
const inside = '/tmp/nexstream'
const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** Throws when no Docker engine answers or the image cannot be had. */
export async function startDocker(setup: KafkaSetup): Promise<Cluster> {
  if (setup.dataFolder !== undefined) throw new Error('data are kept by local processes only')
  const { GenericContainer, Network, getContainerRuntimeClient } = await import('testcontainers')
  const client = await getContainerRuntimeClient()
  const folder = await mkdtemp(join(tmpdir(), 'nexstream-kafka-'))
  const nodes = await places(setup)
  let network: StartedNetwork | undefined
  const ids: string[] = []
  const container = (index: number) => client.container.dockerode.getContainer(ids[index]!)
  const stop = async (): Promise<void> => {
    await Promise.all(ids.map((_, i) => container(i).remove({ force: true, v: true })))
    await network?.stop()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const joined = (network = await new Network().start())
    if (setup.tls) await makeCertificate(folder)
    for (const name of await readdir(folder)) await chmod(join(folder, name), 0o644)
    const files = (await readdir(folder)).map((name) => ({ source: join(folder, name), target: `${inside}/${name}` }))
    await Promise.all(
      nodes.map(async (node, i) => {
        const file = join(folder, `node-${i + 1}.properties`)
        await writeFile(file, serverProperties(setup, nodes, i), { mode: 0o644 })
        const format = formatArguments(setup, `${inside}/server.properties`).map(quote).join(' ')
        const libs = `-cp '/opt/kafka/libs/*'`
        const started = await new GenericContainer(`apache/kafka:${KAFKA_VERSION}`)
          .withEntrypoint(['/bin/sh', '-c'])
          .withCommand([
            `java -XX:TieredStopAtLevel=1 ${libs} kafka.tools.StorageTool ${format} && exec java -Xmx512m ${libs} kafka.Kafka ${inside}/server.properties`
          ])
          .withCopyFilesToContainer([...files, { source: file, target: `${inside}/server.properties` }])
          .withExposedPorts(...node.listeners.map((l) => ({ container: l.bindPort, host: l.bindPort })))
          .withNetwork(joined)
          .withNetworkAliases(node.peerHost)
          .withStartupTimeout(START_MS)
          .start()
        ids[i] = started.getId()
      })
    )
  } catch (error) {
    await stop()
    throw error
  }
  return {
    nodes,
    tlsFolder: folder,
    stop,
    kill9: async (index) => void (await container(index).kill({ signal: 'SIGKILL' })),
    restart: async (index) => void (await container(index).start()),
    freeze: async (index) => void (await container(index).pause()),
    thaw: async (index) => void (await container(index).unpause()),
    died: new Promise(() => undefined)
  }
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
