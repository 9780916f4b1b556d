// server.properties of a KRaft node the same for a local process and a container.
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

export const KAFKA_VERSION = '4.1.1'
/** Any 16 bytes in base64url; all clusters of tests are separate by port and folder. */
export const CLUSTER_ID = 'bmV4c3RyZWFtLXRlc3QtMQ'

export interface KafkaSetup {
  /** Nodes of the cluster, each broker and controller; default 1. */
  readonly brokers?: number
  /** Port of the first node's plaintext listener; default: any free one. */
  readonly port?: number
  /** Where the data stays when Kafka ends; default: a folder that goes with it. */
  readonly dataFolder?: string
  /** Adds listeners with SASL PLAIN and SCRAM for this user. */
  readonly sasl?: { readonly username: string; readonly password: string }
  /** Adds TLS listeners with a self-signed certificate for localhost. */
  readonly tls?: boolean
  /** More lines of server.properties. */
  readonly properties?: Readonly<Record<string, string | number>>
}

export type ListenerName = 'plaintext' | 'sasl' | 'ssl' | 'sasl_ssl'
const protocols: Readonly<Record<ListenerName, string>> = {
  plaintext: 'PLAINTEXT',
  sasl: 'SASL_PLAINTEXT',
  ssl: 'SSL',
  sasl_ssl: 'SASL_SSL'
}

export function listenersOf(setup: KafkaSetup): ListenerName[] {
  const names: ListenerName[] = ['plaintext']
  if (setup.sasl) names.push('sasl')
  if (setup.tls) names.push('ssl')
  if (setup.sasl && setup.tls) names.push('sasl_ssl')
  return names
}

/** Where a node listens: `bind` is the address inside, `advertised` what clients connect to. */
export interface NodePlace {
  readonly bind: string
  /** Host by which the other nodes reach it. */
  readonly peerHost: string
  readonly controllerPort: number
  readonly internalPort: number
  readonly listeners: readonly { name: ListenerName; bindPort: number; advertised: string }[]
  readonly dataFolder: string
  /** Folder with cert.pem and keystore.pem as the node sees it. */
  readonly tlsFolder: string
}

/** The lines of server.properties of node `index` (0-based). */
export function serverProperties(setup: KafkaSetup, nodes: readonly NodePlace[], index: number): string {
  const node = nodes[index]!
  const copies = Math.min(3, nodes.length)
  const map = ['CONTROLLER:PLAINTEXT', 'INTERNAL:PLAINTEXT']
  const listeners = [`CONTROLLER://${node.bind}:${node.controllerPort}`, `INTERNAL://${node.bind}:${node.internalPort}`]
  const advertised = [`INTERNAL://${node.peerHost}:${node.internalPort}`]
  for (const { name, bindPort, advertised: address } of node.listeners) {
    map.push(`${name.toUpperCase()}:${protocols[name]}`)
    listeners.push(`${name.toUpperCase()}://${node.bind}:${bindPort}`)
    advertised.push(`${name.toUpperCase()}://${address}`)
  }
  const lines: Record<string, string | number> = {
    'process.roles': 'broker,controller',
    'node.id': index + 1,
    'controller.quorum.voters': nodes.map((n, i) => `${i + 1}@${n.peerHost}:${n.controllerPort}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'INTERNAL',
    listeners: listeners.join(','),
    'advertised.listeners': advertised.join(','),
    'listener.security.protocol.map': map.join(','),
    'log.dirs': node.dataFolder,
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': copies,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': copies,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'message.max.bytes': 20971520,
    'replica.fetch.max.bytes': 20971520,
    'log.cleaner.dedupe.buffer.size': 10485760,
    'num.network.threads': 2,
    'num.io.threads': 4,
    ...(setup.sasl ? sasl(setup.sasl) : {}),
    ...(setup.tls ? tls(node.tlsFolder) : {}),
    ...setup.properties
  }
  return Object.entries(lines)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}

function sasl(user: { username: string; password: string }): Record<string, string> {
  const lines: Record<string, string> = {}
  const plain = `org.apache.kafka.common.security.plain.PlainLoginModule required user_${user.username}="${user.password}";`
  for (const listener of ['sasl', 'sasl_ssl']) {
    const prefix = `listener.name.${listener}.`
    lines[`${prefix}sasl.enabled.mechanisms`] = 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512'
    lines[`${prefix}plain.sasl.jaas.config`] = plain
    for (const bits of [256, 512])
      lines[`${prefix}scram-sha-${bits}.sasl.jaas.config`] =
        'org.apache.kafka.common.security.scram.ScramLoginModule required;'
  }
  return lines
}

const tls = (folder: string): Record<string, string> => ({
  'ssl.keystore.type': 'PEM',
  'ssl.keystore.location': `${folder}/keystore.pem`,
  'ssl.truststore.type': 'PEM',
  'ssl.truststore.location': `${folder}/cert.pem`,
  'ssl.client.auth': 'requested'
})

/** Arguments of kafka.tools.StorageTool that format the data folder and store the SCRAM users. */
export function formatArguments(setup: KafkaSetup, propertiesFile: string): string[] {
  const args = ['format', '--ignore-formatted', '-t', CLUSTER_ID, '-c', propertiesFile]
  if (setup.sasl)
    for (const bits of [256, 512])
      args.push('-S', `SCRAM-SHA-${bits}=[name=${setup.sasl.username},password=${setup.sasl.password}]`)
  return args
}

/** Makes key.pem, cert.pem (its own CA) and keystore.pem for localhost in `folder`. */
export async function makeCertificate(folder: string): Promise<void> {
  const key = join(folder, 'key.pem')
  const cert = join(folder, 'cert.pem')
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '3', '-keyout', key, '-out', cert, ...subject]
  await promisify(execFile)('openssl', args)
  await writeFile(join(folder, 'keystore.pem'), (await readFile(key, 'utf8')) + (await readFile(cert, 'utf8')))
}
