// From the options of the field's Event Formation Unit to a config of ours.
import { resolve } from 'node:path'
import { CodedError, type ToolFlags } from '../../../core/api/plugin.js'

type Value = string | number | boolean | readonly string[] | TomlTable
interface TomlTable {
  readonly [key: string]: Value | undefined
}
export interface AliasConfig {
  readonly config: TomlTable
  /** What was given and has no meaning here. */
  readonly passedOver: readonly string[]
  readonly stopAfterS: number | undefined
}

const usage = (message: string): CodedError => new CodedError('CLI_USAGE', message)
const textOf = (flags: ToolFlags, name: string): string | undefined => {
  const value = flags[name]
  return typeof value === 'string' ? value : undefined
}
function numberOf(flags: ToolFlags, name: string): number | undefined {
  const text = textOf(flags, name)
  if (text === undefined) return undefined
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value
  throw usage(`--${name} must be a number, not '${text}'`)
}

/** Names of detectors in files by program; those not here are the same in lower case. */
const byGeometry: Readonly<Record<string, string>> = { Freia: 'freia', AMOR: 'tblmb', Estia: 'estia' }

/** The family of a detector file. */
export function familyOf(file: unknown): string {
  const { Detector: detector, InstrumentGeometry: geometry } = (file ?? {}) as Readonly<Record<string, unknown>>
  if (detector === 'Freia') return byGeometry[String(geometry)] ?? 'freia'
  if (typeof detector === 'string' && detector !== '') return detector.toLowerCase()
  throw usage("the detector file has no 'Detector'; name the family: nexstream efu loki …")
}

/** Syslog's levels. */
function levelOf(text: string): string {
  if (text.toLowerCase() === 'info') return 'info'
  const level = Number(text)
  if (!(level >= 1 && level <= 7)) throw usage(`--log_level must be Info or 1 to 7, not '${text}'`)
  return level <= 3 ? 'error' : level <= 4 ? 'warn' : level <= 6 ? 'info' : 'debug'
}

/** Of librdkafka's keys those that say where Kafka is and who we are; all else is what its queues need, and ours do not. */
function kafkaOf(brokers: string, file: unknown): { readonly kafka: TomlTable; readonly left: readonly string[] } {
  const kafka: Record<string, string> = { 'bootstrap.servers': brokers }
  const left: string[] = []
  const { KafkaParms: list = [] } = (file ?? {}) as { KafkaParms?: unknown }
  if (!Array.isArray(list)) throw usage('KafkaParms of --kafka_config must be a list')
  for (const [key, value] of list.flatMap((one) => Object.entries(one as Readonly<Record<string, unknown>>)))
    if (key === 'metadata.broker.list' || key === 'bootstrap.servers') kafka['bootstrap.servers'] = String(value)
    else if (/^(security|sasl|ssl)\.|^(client\.id|compression\.(type|codec))$/.test(key)) kafka[key] = String(value)
    else left.push(`${key} of --kafka_config`)
  return { kafka, left }
}

export interface AliasFiles {
  /** The family, where it was named. */
  readonly family: string | undefined
  readonly detector: unknown
  readonly kafka: unknown
}

/** Throws CLI_USAGE. */
export function aliasConfig(flags: ToolFlags, files: AliasFiles): AliasConfig {
  const family = files.family ?? familyOf(files.detector)
  const topic = textOf(flags, 'broker_topic') ?? `${family}_detector`
  const { kafka, left } = kafkaOf(textOf(flags, 'broker_addr') ?? 'localhost:9092', files.kafka)
  const region = textOf(flags, 'region') ?? '0'
  const path = `${textOf(flags, 'graphite_prefix') ?? `efu.${family}`}.${region}`
  const status = textOf(flags, 'status_topic')
  const commands = textOf(flags, 'command_topic')
  const carbonPort = numberOf(flags, 'gport')
  const graylog = textOf(flags, 'logip')
  const logFile = textOf(flags, 'log_file')
  const config = {
    daemon: { service_id: textOf(flags, 'service_id') ?? `efu.${family}.${region}` },
    kafka,
    ...(commands !== undefined && { commands: { topic: commands } }),
    ...(status !== undefined && { status: { topic: status } }),
    log: { level: levelOf(textOf(flags, 'log_level') ?? 'Info'), ...(logFile !== undefined && { file: logFile }) },
    ...(carbonPort !== 0 && {
      reporters: {
        graphite: { host: textOf(flags, 'graphite'), port: carbonPort, layout: 'ess', interval_ms: 1000 }
      }
    }),
    services: { event_formation: { detectors: { [family]: detectorOf(flags, { family, topic, path }) } } },
    ...(graylog !== undefined && {
      plugins: [{ use: 'log-gelf', options: { host: graylog, port: 12_201, protocol: 'tcp' } }]
    })
  }
  const unused = ['txbuffer', 'nohwcheck', 'checkif'].filter((name) => flags[name] !== undefined)
  const passedOver = [...unused.map((name) => `--${name}`), ...left]
  return { config: config as unknown as TomlTable, passedOver, stopAfterS: numberOf(flags, 'stopafter') }
}

function detectorOf(
  flags: ToolFlags,
  { family, topic, path }: { readonly family: string; readonly topic: string; readonly path: string }
): TomlTable {
  const [file, calibration] = [textOf(flags, 'file'), textOf(flags, 'calibration')]
  const commandPort = numberOf(flags, 'cmdport')
  const interval = numberOf(flags, 'updateinterval')
  const most = numberOf(flags, 'rxbuffer')
  return {
    family,
    topic,
    host: textOf(flags, 'dip'),
    port: numberOf(flags, 'port'),
    config_file: file === undefined ? undefined : resolve(file),
    calibration_file: calibration === undefined ? undefined : resolve(calibration),
    mode: textOf(flags, 'mode'),
    update_ms: interval === undefined ? undefined : Math.min(60_000, Math.max(5, Math.round(interval * 1000))),
    receive_buffer_bytes: most === undefined ? undefined : Math.max(65_536, most),
    raw_topic: textOf(flags, 'ar51_topic') ?? `${topic}_samples`,
    raw_every: numberOf(flags, 'monitor_every'),
    raw_consecutive: numberOf(flags, 'monitor_consecutive'),
    stats_path: path,
    command_port: commandPort === 0 ? undefined : commandPort,
    command_host: textOf(flags, 'cmdhost'),
    command_exit: 'daemon'
  }
}

const key = (name: string): string => (/^[A-Za-z0-9_-]+$/.test(name) ? name : JSON.stringify(name))
const isTable = (value: unknown): value is TomlTable =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isTables = (value: unknown): value is readonly TomlTable[] => Array.isArray(value) && value.some(isTable)

/** As TOML. */
export function tomlOf(table: TomlTable, path = ''): string {
  const entries = Object.entries(table).filter(([, value]) => value !== undefined)
  const plain = entries.filter(([, value]) => !isTable(value) && !isTables(value))
  const lines = plain.map(([name, value]) => `${key(name)} = ${JSON.stringify(value)}\n`).join('')
  const head = path === '' || lines === '' ? '' : `\n[${path}]\n`
  const below = entries.map(([name, value]) => {
    const at = path === '' ? key(name) : `${path}.${key(name)}`
    if (isTable(value)) return tomlOf(value, at)
    return isTables(value)
      ? value.map((one) => `\n[[${at}]]\n${tomlOf(one, at).replace(`\n[${at}]\n`, '')}`).join('')
      : ''
  })
  return `${head}${lines}${below.join('')}`
}
