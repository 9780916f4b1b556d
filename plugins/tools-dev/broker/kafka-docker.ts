// Apache Kafka in containers, by the docker command.
import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePorts } from '../fetched/ports.js'
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

const inside = '/tmp/nexstream'
const image = `apache/kafka:${KAFKA_VERSION}`
const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** Runs the docker command; throws with what it said last. */
async function docker(...args: string[]): Promise<string> {
  try {
    return (await promisify(execFile)('docker', args, { maxBuffer: 1 << 26 })).stdout.trim()
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string }
    if (code === 'ENOENT') throw new Error('docker is not on the PATH')
    throw new Error(`docker ${args[0]}: ${stderr?.trim().split('\n').at(-1) ?? String(error)}`)
  }
}

// Outlives its owner by a moment: when the pipe closes it takes everything away.
const watchdog = `cat >/dev/null; docker ps -aq --filter label="$1" | xargs -r docker rm -f -v >/dev/null; docker network rm "$1" >/dev/null; rm -rf "$2"`

/** Throws when no Docker engine answers or the image cannot be had. */
export async function startDocker(setup: KafkaSetup): Promise<BrokerNodes> {
  await docker('version')
  const name = `nexstream-kafka-${randomBytes(4).toString('hex')}`
  const folder = await mkdtemp(join(tmpdir(), 'nexstream-kafka-'))
  const guard = spawn('sh', ['-c', watchdog, 'kafka-watchdog', name, folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true
  })
  guard.unref()
  const nodes = await places(setup)
  let stopping = false
  const stop = async (): Promise<void> => {
    stopping = true
    // Where the data is thrown away there is no need for an orderly shutdown
    if (setup.dataFolder !== undefined)
      await Promise.all(nodes.map((_, i) => docker('stop', '-t', '30', `${name}-${i}`).catch(() => undefined)))
    guard.ref()
    guard.stdin?.end()
    if (guard.exitCode === null) await once(guard, 'exit')
  }
  try {
    if (setup.tls) await makeCertificate(folder)
    await docker('network', 'create', name)
    await Promise.all(nodes.map((_, i) => startNode({ setup, nodes, name, folder }, i)))
  } catch (error) {
    await stop()
    throw error
  }
  const died = Promise.race(nodes.map((_, i) => ended(`${name}-${i}`, () => stopping)))
  died.catch(() => undefined) // Whoever waits for readiness sees it
  return {
    nodes,
    tlsFolder: folder,
    stop,
    kill9: async (index) => void (await docker('kill', `${name}-${index}`)),
    restart: async (index) => void (await docker('start', `${name}-${index}`)),
    freeze: async (index) => void (await docker('pause', `${name}-${index}`)),
    thaw: async (index) => void (await docker('unpause', `${name}-${index}`)),
    died
  }
}

interface Containers {
  readonly setup: KafkaSetup
  readonly nodes: readonly NodePlace[]
  readonly name: string
  readonly folder: string
}

async function startNode({ setup, nodes, name, folder }: Containers, index: number): Promise<void> {
  const node = nodes[index]!
  const container = `${name}-${index}`
  const file = join(folder, `node-${index + 1}.properties`)
  await writeFile(file, serverProperties(setup, nodes, index))
  // Its user is another one than ours
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder)) await chmod(join(folder, entry), 0o644)
  const properties = `${inside}/node-${index + 1}.properties`
  const format = formatArguments(setup, properties).map(quote).join(' ')
  const libs = `-cp '/opt/kafka/libs/*'`
  const words = `java -XX:TieredStopAtLevel=1 ${libs} kafka.tools.StorageTool ${format} && exec java -Xmx512m ${libs} kafka.Kafka ${properties}`
  await docker(
    'create', '--name', container, '--label', name, '--network', name, '--network-alias', node.peerHost,
    ...node.listeners.flatMap(({ bindPort }) => ['-p', `127.0.0.1:${bindPort}:${bindPort}`]),
    ...(await kept(setup, index)),
    '--entrypoint', '/bin/sh', image, '-c', words
  ) // prettier-ignore
  await docker('cp', `${folder}/.`, `${container}:${inside}`)
  await docker('start', container)
}

/** A folder of ours for the data, written by our user. */
async function kept({ dataFolder }: KafkaSetup, index: number): Promise<string[]> {
  if (dataFolder === undefined) return []
  const folder = join(dataFolder, `node-${index + 1}`)
  await mkdir(folder, { recursive: true })
  const user = [process.getuid?.(), process.getgid?.()].join(':')
  return ['-v', `${folder}:${inside}-data`, '--user', user]
}

/** Rejects with the end of its log when a container ends that was not told to. */
async function ended(container: string, isStopping: () => boolean): Promise<never> {
  const waiting = spawn('docker', ['wait', container], { stdio: 'ignore', detached: true })
  waiting.unref()
  await once(waiting, 'exit')
  if (isStopping()) return new Promise(() => undefined)
  const log = await docker('logs', '--tail', '20', container).catch(() => '')
  throw new Error(`Kafka ended: ${log.slice(-1500)}`)
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
