// From the words of the command line to an open Kafka client.
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { type DaemonConfig } from '../../core/config.js'
import { CodedError } from '../../core/api/errors.js'
import { connectKafka } from '../../core/kafka/client.js'
import { type ToolTarget } from '../../core/api/plugin.js'
import { configFileOf, configOf, type ConfigFlags } from './config.js'
import { settings } from './io.js'
import { type KafkaAddress, parseAddress } from './parse.js'

/** Options of every sub-command that talks to Kafka. */
export interface KafkaFlags extends ConfigFlags {
  readonly brokers?: string
}

interface CliTarget extends ToolTarget {
  readonly config: DaemonConfig
}

/** The brokers are those of the address, of `--brokers`, or of the config; the first that names any. */
function brokersOf(address: KafkaAddress, flags: KafkaFlags, config: DaemonConfig): readonly string[] {
  if (address.brokers.length > 0) return address.brokers
  if (flags.brokers !== undefined) return flags.brokers.split(',').map((broker) => parseBroker(broker.trim()))
  const named = (config.kafka as Record<string, unknown>)['brokers'] ?? (config.kafka as Record<string, unknown>)['bootstrap.servers'] // prettier-ignore
  const list = typeof named === 'string' ? named.split(',') : Array.isArray(named) ? named.map(String) : []
  if (list.length > 0) return list
  const { topic } = address
  const taken = topic === undefined ? '' : `: '${topic}' is taken as a topic`
  const file = configFileOf(flags)
  const last = file === undefined ? 'give --config FILE (NEXSTREAM_CONFIG)' : `kafka.brokers in ${file}`
  throw new CodedError(
    'CLI_USAGE',
    `no broker named${taken}; write host:port/${topic ?? 'topic'}, --brokers host:port, or ${last}`
  )
}

function parseBroker(text: string): string {
  const [broker] = text === '' ? [] : parseAddress(text).brokers
  if (broker === undefined) throw new CodedError('CLI_USAGE', `'${text}' is no broker; write host:port`)
  return broker
}

/** A topic may be called as a file here is; whoever means it can write the broker before it. Throws CLI_USAGE. */
function requireNoFile(text: string): void {
  if (!/\.\w+$/.test(text) || /:\d+\//.test(text) || !existsSync(text)) return
  throw new CodedError('CLI_USAGE', `'${text}' is a file, neither a topic nor a recording (NAME.mcap); JSON goes to 'make-file', 'write', 'produce' or 'check'; a topic of this name is host:port/${basename(text)}`) // prettier-ignore
}

/** Connects; call `kafka.close()` in the end. */
export function connect(text: string | undefined, flags: KafkaFlags): CliTarget {
  if (text !== undefined) requireNoFile(text)
  const address: KafkaAddress = text === undefined ? { brokers: [], topic: undefined } : parseAddress(text)
  const { config } = configOf(flags)
  const brokers = brokersOf(address, flags, config)
  const kafkaOptions = { ...kafkaSection(config, brokers), ...login(address) }
  const kafka = connectKafka(kafkaOptions)
  return {
    kafka,
    topic: address.topic,
    config,
    allTopics: () => kafka.topics(null),
    settings: kafka.cluster.settings,
    alterTopic: (name, values) => kafka.alterTopic(name, values)
  }
}

/** The config's section for the Kafka client, with these brokers; `--timeout` bounds look-ups unless the config does. */
function kafkaSection(config: DaemonConfig, brokers: readonly string[]): Record<string, unknown> {
  const section: Record<string, unknown> = { timeout_ms: settings.timeoutMs, ...config.kafka, brokers }
  delete section['bootstrap.servers'] // `brokers` says it
  return section
}

function login(address: KafkaAddress): Record<string, unknown> {
  if (address.user === undefined) return {}
  const [protocol, mechanism] = (address.mechanism ?? 'SASL_PLAINTEXT+PLAIN').split('+')
  const password = process.env['NEXSTREAM_PASSWORD']
  if (password === undefined)
    throw new CodedError(
      'CLI_USAGE',
      `the address names user '${address.user}'; give the password in NEXSTREAM_PASSWORD`
    )
  return {
    'security.protocol': mechanism === undefined ? 'SASL_PLAINTEXT' : protocol,
    'sasl.mechanism': mechanism ?? protocol,
    'sasl.username': address.user,
    'sasl.password': password
  }
}
