// Kafka connection options: our own words and those of librdkafka, checked, merged into one form.
import { readFileSync } from 'node:fs'
import { CodedError } from '../api/errors.js'
import { type KafkaSettings, type TlsSettings } from '../api/kafka.js'
import { nearest } from '../api/nearest.js'

export { type KafkaSettings } from '../api/kafka.js'

/** What `connectKafka` takes: the `kafka` section of the config, in our words or in those of librdkafka. */
export type KafkaOptions = Readonly<Record<string, unknown>>

type Kind = 'string' | 'list' | 'ms' | 'boolean'

interface KafkaKey {
  /** Default `string`. */
  readonly kind?: Kind
  readonly also?: readonly string[]
  readonly says: string
}

/** Our key → its type, the librdkafka keys that mean the same, and what it says (for docs/reference/config.md). */
export const kafkaKeys: Readonly<Record<string, KafkaKey>> = {
  brokers: {
    kind: 'list',
    also: ['bootstrap.servers', 'metadata.broker.list'],
    says: 'Brokers to begin with, `host:port` each; port 9092 where none is given.'
  },
  client_id: { also: ['client.id'], says: 'Name of this client in the logs of the brokers; default nexstream.' },
  security_protocol: {
    also: ['security.protocol'],
    says: 'PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL; default told by `ssl` and `sasl`.'
  },
  connect_timeout_ms: {
    kind: 'ms',
    also: ['socket.connection.setup.timeout.ms'],
    says: 'Longest time to open a connection; default 5000.'
  },
  request_timeout_ms: {
    kind: 'ms',
    also: ['socket.timeout.ms', 'request.timeout.ms'],
    says: 'Longest time a broker may take for one answer; default 30000.'
  },
  timeout_ms: {
    kind: 'ms',
    says: 'Look-ups and administration give up after this long, all tries together; default 30000.'
  },
  check_crcs: {
    kind: 'boolean',
    also: ['check.crcs'],
    says: 'false trusts what comes without looking at the checksums of record batches, as librdkafka does by itself; default true.'
  },
  'sasl.mechanism': {
    also: ['sasl.mechanisms'],
    says: 'PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; default SCRAM-SHA-512.'
  },
  'sasl.username': { says: 'User name.' },
  'sasl.username_file': { says: 'File that holds the user name.' },
  'sasl.username_env': { says: 'Environment variable that holds the user name.' },
  'sasl.password': { says: 'Password.' },
  'sasl.password_file': {
    says: 'File that holds the password; `$CREDENTIALS_DIRECTORY/NAME` is a credential of systemd, here and wherever a file is named.'
  },
  'sasl.password_env': { says: 'Environment variable that holds the password.' },
  'ssl.enabled': { kind: 'boolean', says: 'Encrypt; `ssl = true` says the same, and a section `ssl` implies it.' },
  'ssl.ca': { also: ['ssl.ca.pem'], says: 'Certificates of trusted authorities, PEM text; default those of Node.' },
  'ssl.ca_file': { also: ['ssl.ca.location'], says: 'File with them.' },
  'ssl.cert': { also: ['ssl.certificate.pem'], says: 'Our certificate, PEM text, for brokers that ask for one.' },
  'ssl.cert_file': { also: ['ssl.certificate.location'], says: 'File with it.' },
  'ssl.key': { also: ['ssl.key.pem'], says: 'Private key of our certificate, PEM text.' },
  'ssl.key_file': { also: ['ssl.key.location'], says: 'File with it.' },
  'ssl.passphrase': { also: ['ssl.key.password'], says: 'Passphrase of the private key.' },
  'ssl.passphrase_file': { says: 'File that holds the passphrase.' },
  'ssl.passphrase_env': { says: 'Environment variable that holds the passphrase.' },
  'ssl.servername': { says: "Name expected in the broker's certificate; default the broker's host name." },
  'ssl.verify': {
    kind: 'boolean',
    also: ['enable.ssl.certificate.verification'],
    says: 'false takes any certificate: for tests only. Default true.'
  }
}
const meaning = new Map(
  Object.entries(kafkaKeys).flatMap(([key, { also = [] }]) => [key, ...also].map((word) => [word, key]))
)

/** Of a key by value, by file or by environment only one may be given. */
const plainOf = (key: string): string => key.replace(/^(s(?:asl|sl)\..*)_(?:file|env)$/, '$1')

/** Our words and librdkafka's that say the same as this one, itself included, and those that it excludes; [] for an unknown word. */
export function kafkaWords(word: string): string[] {
  const key = meaning.get(word)
  if (key === undefined) return []
  return [...meaning].filter(([, other]) => plainOf(other) === plainOf(key)).map(([same]) => same)
}

const bad = (path: string, message: string): CodedError =>
  new CodedError('CONFIG_INVALID', `kafka: ${message}`, { path: `/kafka/${path}` })

/** Sections `sasl = {…}` and `ssl = {…}` become dotted keys; `ssl = true` becomes `ssl.enabled`. */
function* flatten(options: KafkaOptions): Generator<[string, unknown]> {
  for (const [key, value] of Object.entries(options))
    if (key === 'ssl' && typeof value === 'boolean') yield ['ssl.enabled', value]
    else if (
      (key === 'sasl' || key === 'ssl') &&
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value)
    ) {
      if (key === 'ssl') yield ['ssl.enabled', true]
      for (const [inner, innerValue] of Object.entries(value)) yield [`${key}.${inner}`, innerValue]
    } else yield [key, value]
}

function convert(key: string, word: string, value: unknown): unknown {
  const { kind } = kafkaKeys[key]!
  if (kind === 'list') {
    const list = typeof value === 'string' ? value.split(',') : value
    if (!Array.isArray(list) || !list.every((item) => typeof item === 'string'))
      throw bad(word, `${word} must be a list of host:port`)
    return list.map((item: string) => item.trim()).filter((item) => item !== '')
  }
  if (kind === 'ms') {
    const ms = Number(value)
    if (!Number.isInteger(ms) || ms < 1 || ms > 3_600_000) throw bad(word, `${word} must be 1 … 3600000 milliseconds`)
    return ms
  }
  if (kind === 'boolean') {
    if (value === true || value === 'true') return true
    if (value === false || value === 'false') return false
    throw bad(word, `${word} must be true or false`)
  }
  if (typeof value !== 'string') throw bad(word, `${word} must be a string`)
  return value
}

function unknownKey(word: string): CodedError {
  const near = nearest(word.slice(0, 60), [...meaning.keys()])
  const hint = near === undefined ? `known are ${Object.keys(kafkaKeys).join(', ')}` : `did you mean ${near}?`
  return bad(word, `unknown key ${word}; ${hint}`)
}

function address(text: string): { host: string; port: number } {
  const match = /^(?:[A-Z_]+:\/\/)?(?:\[([^\]]+)\]|([^:/\s]+))(?::(\d{1,5}))?$/.exec(text)
  const port = Number(match?.[3] ?? 9092)
  if (!match || port < 1 || port > 65535) throw bad('brokers', `'${text}' is not host:port`)
  return { host: match[1] ?? match[2]!, port }
}

/**
 * Checks and merges the options. Passwords come by value, from a file (`…_file`) or from the environment (`…_env`).
 * Throws CodedError CONFIG_INVALID with the path of the key.
 */
export function kafkaSettings(options: KafkaOptions): KafkaSettings {
  const values = new Map<string, unknown>()
  for (const [word, value] of flatten(options)) {
    const key = meaning.get(word)
    if (key === undefined) throw unknownKey(word)
    if (value === undefined) continue
    if (values.has(key) && word !== 'ssl.enabled')
      throw bad(word, `${word} is given twice (as ${key} and in librdkafka's words)`)
    values.set(key, convert(key, word, value))
  }
  const text = (key: string): string | undefined => values.get(key) as string | undefined
  const brokers = (values.get('brokers') as string[] | undefined) ?? []
  if (brokers.length === 0) throw bad('brokers', 'no brokers: set brokers = ["host:9092"]')
  const protocol = security(text('security_protocol'))
  const sasl = saslSettings(values, protocol)
  const tls = protocol ? protocol.tls : values.get('ssl.enabled') === true
  return {
    brokers: brokers.map(address),
    clientId: text('client_id') ?? 'nexstream',
    tls: tls ? tlsSettings(values) : undefined,
    sasl,
    connectTimeoutMs: (values.get('connect_timeout_ms') as number | undefined) ?? 5000,
    requestTimeoutMs: (values.get('request_timeout_ms') as number | undefined) ?? 30_000,
    timeoutMs: (values.get('timeout_ms') as number | undefined) ?? 30_000,
    checkCrcs: values.get('check_crcs') !== false
  }
}

function security(text: string | undefined): { tls: boolean; sasl: boolean } | undefined {
  if (text === undefined) return undefined
  const match = /^(SASL_)?(PLAINTEXT|SSL)$/.exec(text.toUpperCase())
  if (!match) throw bad('security.protocol', `${text} is not one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL`)
  return { tls: match[2] === 'SSL', sasl: match[1] !== undefined }
}

/** By value, by file or by environment; only one of them. */
function secret(values: Map<string, unknown>, key: string): string | undefined {
  const [value, file, env] = [key, `${key}_file`, `${key}_env`].map((name) => values.get(name) as string | undefined)
  if ([value, file, env].filter((given) => given !== undefined).length > 1)
    throw bad(key, `give one of ${key}, ${key}_file, ${key}_env`)
  if (file !== undefined) return readText(`${key}_file`, file).replace(/\r?\n$/, '')
  if (env === undefined) return value
  const found = process.env[env]
  if (found === undefined) throw bad(`${key}_env`, `the environment has no ${env}`)
  return found
}

const CREDENTIALS = /^\$CREDENTIALS_DIRECTORY(?=\/)/

/** What a unit of systemd loads by LoadCredential= lies in a folder that only its service can read. */
function readText(key: string, file: string): string {
  const folder = process.env['CREDENTIALS_DIRECTORY']
  if (CREDENTIALS.test(file) && folder === undefined)
    throw bad(key, `${file}: the environment has no CREDENTIALS_DIRECTORY; the systemd unit needs LoadCredential=`)
  try {
    return readFileSync(
      file.replace(CREDENTIALS, () => folder ?? ''),
      'utf8'
    )
  } catch (error) {
    throw bad(key, `${file} cannot be read: ${(error as Error).message}`)
  }
}

function saslSettings(values: Map<string, unknown>, protocol: { sasl: boolean } | undefined): KafkaSettings['sasl'] {
  const given = [...values.keys()].some((key) => key.startsWith('sasl.'))
  if (protocol ? !protocol.sasl : !given) return undefined
  const mechanism = ((values.get('sasl.mechanism') as string | undefined) ?? 'scram-sha-512').toLowerCase()
  if (mechanism !== 'plain' && mechanism !== 'scram-sha-256' && mechanism !== 'scram-sha-512')
    throw bad('sasl.mechanism', `${mechanism} is not one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512`)
  const username = secret(values, 'sasl.username')
  const password = secret(values, 'sasl.password')
  if (username === undefined || password === undefined) throw bad('sasl', 'SASL needs a username and a password')
  return { mechanism, username, password }
}

function tlsSettings(values: Map<string, unknown>): TlsSettings {
  const pem = (key: string): string | undefined => {
    const file = values.get(`${key}_file`) as string | undefined
    return file === undefined ? (values.get(key) as string | undefined) : readText(`${key}_file`, file)
  }
  return {
    ca: pem('ssl.ca'),
    cert: pem('ssl.cert'),
    key: pem('ssl.key'),
    passphrase: secret(values, 'ssl.passphrase'),
    servername: values.get('ssl.servername') as string | undefined,
    verify: values.get('ssl.verify') !== false
  }
}
