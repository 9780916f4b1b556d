// One of everything that a plugin can bring: a service with two commands, a source, a converter, a writer, a reporter, a dialect
// and a tool, all about lamps. It lies outside of nexstream and is loaded by config alone.
import {
  API,
  BadMessage,
  CodedError,
  defineCommand,
  defineConverter,
  definePlugin,
  defineReporter,
  defineService,
  defineSource,
  defineTool,
  defineWriter
} from 'nexstream/plugin'
import { timeAttributes } from 'nexstream/filewriter'

const head = Buffer.from('\0\0\0\0lm00')
const topic = { type: 'string', minLength: 1, description: 'Kafka topic of the readings.' }

const source = defineSource({
  id: 'lamp',
  summary: 'Brightness of a lamp that is lit step by step.',
  config: {
    type: 'object',
    additionalProperties: false,
    required: ['channel'],
    properties: {
      channel: { type: 'string', description: 'Name of the lamp.' },
      steps: { type: 'integer', minimum: 1, default: 3, description: 'Steps to full brightness.' }
    }
  },
  open({ channel, steps }, _context, emit) {
    const still = { alarm: { severity: 0, status: 0, message: '' }, units: '', precision: null, enumStrings: null }
    let open = true
    queueMicrotask(() => {
      for (let i = 1; i <= steps && open; i++)
        emit({ kind: 'value', source: channel, timestampNs: BigInt(Date.now()) * 1_000_000n, dtype: 'float64', value: i / steps, connection: 2, first: i === 1, repeat: false, ...still }) // prettier-ignore
    })
    return { close: () => void (open = false) }
  }
})

function decode(message) {
  const [name, time, value] = message.toString('utf8', head.length).split('\t')
  if (!name || !/^\d{1,19}$/.test(time ?? '')) throw new BadMessage('bad_lamp', 'must be name, time and brightness')
  return { source: name, timestampNs: BigInt(time), dtype: 'float64', value: Number(value) }
}
const encode = ({ source: name, timestampNs, value }) =>
  Buffer.concat([head, Buffer.from(`${name}\t${timestampNs}\t${value}`)])

const converter = defineConverter({
  id: 'lm00',
  summary: 'Brightness of a lamp as text.',
  config: { type: 'object', additionalProperties: false },
  open: () => ({
    peek(message, out) {
      out.timestampNs = decode(message).timestampNs
      out.sourceStart = head.length
      out.sourceEnd = message.indexOf('\t', head.length)
    },
    decode,
    encode,
    convert: (update) => (update.kind === 'value' ? [{ value: encode(update) }] : [])
  })
})

const writer = defineWriter({
  id: 'lamps',
  summary: 'Brightness over time.',
  accepts: ['lm00'],
  nxClass: 'NXlog',
  keepsLast: false,
  config: { type: 'object', additionalProperties: false },
  open(group) {
    const value = group.column('value', { dtype: 'float64' })
    const time = group.column('time', { dtype: 'int64', attributes: timeAttributes })
    return {
      write(record) {
        value.appendNumber(record.value)
        time.appendBigInt(record.timestampNs)
      }
    }
  }
})

class Lamps {
  lit = 0
  #context
  #subscriptions = new Set()

  constructor(context) {
    this.#context = context
    this.producer = context.kafka.producer({ lingerMs: 0 })
  }

  async start() {}

  async stop() {
    for (const subscription of this.#subscriptions) subscription.close()
    await this.producer.close()
  }

  snapshot() {
    return { state: this.lit > 0 ? 'lit' : 'dark', lit: this.lit }
  }

  /** Sends every step of one lamp. */
  light({ name, topic, steps }) {
    const config = { channel: name, steps }
    const send = this.#context.converter('lm00').open({}, { ...this.#context, jobId: name, count: () => undefined })
    const emit = (update) => {
      for (const { value } of send.convert(update)) this.producer.send({ topic, key: name, value })
    }
    this.#subscriptions.add(this.#context.source('lamp').open(config, { ...this.#context, jobId: name }, emit))
    this.lit++
    return { response: 'ACK', status: 200, message: `lamp ${name} is lit in ${steps} steps` }
  }

  /** The last reading comes from a thread of its own. */
  async dim({ name, topic }) {
    if (this.lit === 0) throw new CodedError('COMMAND_FAILED', 'no lamp is lit', { path: '/name' })
    const worker = this.#context.thread(new URL('./dim.mjs', import.meta.url))
    worker.postMessage({ name, topic })
    const offset = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    this.lit--
    return { response: 'ACK', status: 200, message: `lamp ${name} is dark`, result: { offset } }
  }
}

const name = { type: 'string', minLength: 1, description: 'Name of the lamp.' }
const light = defineCommand({
  cmd: 'light',
  summary: 'Lights a lamp step by step.',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['name', 'topic'],
    properties: { name, topic, steps: { type: 'integer', minimum: 1, default: 4, description: 'Steps to full brightness.' } } // prettier-ignore
  },
  examples: [{ cmd: 'light', service: 'lamp', name: 'hall', topic: 'lamps' }],
  run: (command, _origin, lamps) => lamps.light(command)
})
const dim = defineCommand({
  cmd: 'dim',
  summary: 'Puts a lamp out.',
  schema: { type: 'object', additionalProperties: false, required: ['name', 'topic'], properties: { name, topic } },
  examples: [{ cmd: 'dim', service: 'lamp', name: 'hall', topic: 'lamps' }],
  run: (command, _origin, lamps) => lamps.dim(command)
})

const service = defineService({
  id: 'lamp',
  summary: 'Lights lamps.',
  config: {
    type: 'object',
    additionalProperties: false,
    properties: { forbidden: { type: 'string', default: 'moon', description: 'A lamp that nobody may light.' } }
  },
  commands: [light, dim],
  inspect: ({ forbidden }, command) =>
    command?.name === forbidden ? [{ code: 'COMMAND_INVALID', path: '/name', message: `${forbidden} must stay dark` }] : [], // prettier-ignore
  open: (_options, context) => new Lamps(context)
})

const reporter = defineReporter({
  id: 'lamp-report',
  summary: 'Tells how many lamps are lit.',
  config: { type: 'object', additionalProperties: false },
  open(_options, { kafka, statusTopic }) {
    if (statusTopic === undefined) return undefined
    const producer = kafka.producer({ lingerMs: 0 })
    return {
      report: ({ services }) =>
        void producer.send({ topic: statusTopic, value: JSON.stringify({ lamp_report: services.lamp?.lit ?? null }) }),
      close: () => producer.close()
    }
  }
})

/** `LAMP light hall lamps`, answered by `LAMP ok …` or `LAMP no …`. */
const dialect = {
  id: 'lamp',
  decode(message) {
    const [word, cmd, lamp, where] = message.toString().split(' ')
    return word === 'LAMP' ? { cmd, service: 'lamp', name: lamp, topic: where } : undefined
  },
  reply: (_command, { response, message }) => [{ value: Buffer.from(`LAMP ${response === 'ACK' ? 'ok' : 'no'} ${message}`) }], // prettier-ignore
  event: () => []
}

const tool = defineTool({
  id: 'lamp-names',
  summary: 'names of the lamps in a file of readings',
  arguments: [{ name: 'file', summary: 'one reading a line' }],
  options: [{ flags: '--upper', summary: 'in capitals' }],
  load: async () => (await import('./names.mjs')).default
})

export default definePlugin({
  name: 'lamps',
  version: '1.0.0',
  api: API,
  summary: 'One of everything.',
  apply(registry) {
    registry.source(source)
    registry.converter(converter)
    registry.writer(writer)
    registry.service(service)
    registry.reporter(reporter)
    registry.dialect(dialect)
    registry.tool(tool)
  }
})
