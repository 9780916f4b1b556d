// The type matrix: a value put into a real server, through source-epics, every converter and a real Kafka,
// is the value that ess-streaming-data-types reads.
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { caCases, caprotoCases, javaCases, p4pCases, pvxsCases, qsrvCases, schemas, type Case } from '../support/epics-cases.js' // prettier-ignore
import { liveForwarder, readUntil, settled, type Live, type Message } from '../support/forwarder/live.js'
import { startIoc, type Ioc, type IocKind } from '../support/ioc.js'
import { kafka, testTopics } from '../support/kafka.js'
import { readByReference, type Reference } from '../support/reference.js'

const db = fileURLToPath(new URL('../../../test/samples/ioc/types.db', import.meta.url))

interface Bench {
  readonly kind: IocKind
  readonly protocol: 'ca' | 'pva'
  readonly prefix: string
  readonly cases: readonly Case[]
}
const benches: readonly Bench[] = [
  { kind: 'ca', protocol: 'ca', prefix: 'C:', cases: caCases },
  { kind: 'qsrv1', protocol: 'pva', prefix: 'Q1:', cases: qsrvCases },
  { kind: 'qsrv2', protocol: 'pva', prefix: 'Q2:', cases: pvxsCases },
  { kind: 'p4p', protocol: 'pva', prefix: 'P:', cases: p4pCases },
  { kind: 'caproto', protocol: 'ca', prefix: 'V:', cases: caprotoCases },
  { kind: 'java', protocol: 'pva', prefix: 'J:', cases: javaCases }
]

/** Messages of each `schema channel`: how many, and those that were read by the reference package. */
type Read = ReadonlyMap<string, { readonly count: number; readonly read: readonly Reference[] }>

const textOf = (channel: string): string => `${channel}#text`

function stream({ protocol, prefix }: Bench, { pv, source = {} }: Case, topic: string) {
  const channel = `${prefix}${pv}`
  const converters = schemas.map((schema) =>
    schema === 'text' ? { schema: 'f142', enum: 'text', source_name: textOf(channel) } : { schema }
  )
  return { channel, protocol, topic, converters, source_options: source, connection_schema: 'ep01' }
}

/** Schema and channel of a message; NDAr names no source, so Kafka's key tells. */
const keyOf = ({ id, key }: Message): string =>
  id === 'f142' && key.endsWith('#text') ? `text ${key.slice(0, -'#text'.length)}` : `${id} ${key}`

/** Reads all connection states, and of everything else the last message: what was put. */
async function read(messages: readonly Message[]): Promise<Read> {
  const groups = new Map<string, Message[]>()
  for (const message of messages) {
    const key = keyOf(message)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [message])
    else group.push(message)
  }
  const wanted = [...groups].map(([key, group]) => ({ key, count: group.length, taken: group[0]?.id === 'ep01' ? group : group.slice(-1) })) // prettier-ignore
  const references = await readByReference(wanted.flatMap(({ taken }) => taken.map(({ value }) => value)))
  return new Map(wanted.map(({ key, count, taken }) => [key, { count, read: references.splice(0, taken.length) }]))
}

/** Numbers of the offsets that tdct carries, relative to the time of the update. */
function offsets({ content }: Reference, timeNs: bigint): unknown {
  return (content['timestamps'] as string[]).map((one) => {
    const offset = BigInt.asIntN(64, BigInt(one.replace('n', '')) - timeNs)
    return offset >= -(2n ** 53n) && offset <= 2n ** 53n ? Number(offset) : `${offset}n`
  })
}

function attributesOf(list: unknown): Record<string, unknown> {
  const all = (list as { name: string; description: string; source: string; data: unknown }[]).filter(
    ({ name }) => name !== 'ColorMode'
  )
  for (const { name, description, source } of all) assert.deepEqual([description, source], [`about ${name}`, 'driver'])
  return Object.fromEntries(all.map(({ name, data }) => [name, data]))
}

/** What a message says, in the words of the table: only the keys that the table names. */
function said(schema: string, message: Reference, expected: unknown, timeNs: bigint): unknown {
  const { type, content } = message
  if (schema === 'tdct') return offsets(message, timeNs)
  if (schema === 'ns10') return content['value']
  const all: Record<string, unknown> = { ...content, type }
  if (schema === 'json' && content['dtype'] === 'structure') all['value'] = numbersOf(content['value'])
  if ('attributes' in all) all['attributes'] = attributesOf(all['attributes'])
  return Object.fromEntries(Object.keys(expected as object).map((key) => [key, all[key]]))
}

/** The numbers of a table's or a frame's JSON. */
function numbersOf(value: unknown): unknown {
  const inner = (value as { value: unknown }).value
  return Array.isArray(inner) ? inner : (inner as { value: unknown }).value
}

describe('EPICS type matrix', function () {
  this.timeout(180_000)
  const iocs = new Map<Bench, Ioc>()
  let live: Live
  let brokers: string[]
  let topic: string
  let found: Read

  /** Waits for `count` updates of every channel; json carries every type. */
  const updates = async (count: number): Promise<void> => {
    let missing: string[] = []
    const enough = (messages: readonly Message[]): boolean => {
      const seen = new Map<string, number>()
      for (const { id, key } of messages) if (id === 'json') seen.set(key, (seen.get(key) ?? 0) + 1)
      const channels = benches.flatMap(({ prefix, cases }) => cases.map(({ pv }) => `${prefix}${pv}`))
      missing = channels.filter((channel) => (seen.get(channel) ?? 0) < count)
      return missing.length === 0
    }
    await readUntil(brokers, topic, enough).catch((cause: unknown) => {
      throw new Error(`no update ${count} of ${missing.join(', ')}`, { cause })
    })
  }

  before(async () => {
    const started = await Promise.all(
      benches.map(({ kind, prefix }) => startIoc({ kind, db, macros: { P: prefix } }))
    ) // prettier-ignore
    benches.forEach((bench, i) => iocs.set(bench, started[i] as Ioc))
    ;({ brokers } = await kafka())
    ;({ topic } = await testTopics(['topic']))
    live = await liveForwarder(brokers, started)
    const streams = benches.flatMap((bench) => bench.cases.map((one) => stream(bench, one, topic)))
    const reply = await live.run('start', { streams })
    assert.deepEqual([reply.response, reply.errors], ['ACK', undefined])
    await updates(1)
    await Promise.all(
      benches.map(async (bench) => {
        const ioc = iocs.get(bench) as Ioc
        for (const { pv, put } of bench.cases) await put(ioc, `${bench.prefix}${pv}`)
      })
    )
    await updates(2)
    found = await read(await settled(brokers, topic, live))
  })
  after(async () => {
    await live?.close()
    for (const ioc of iocs.values()) await ioc.stop()
  })

  for (const { kind, protocol, prefix, cases } of benches) {
    describe(`${protocol} from ${kind}`, () => {
      for (const { pv, expected } of cases) {
        it(`${pv} as ${Object.keys(expected).join(', ')}`, () => {
          const channel = `${prefix}${pv}`
          const log = found.get(`json ${channel}`)
          const timeNs = BigInt(log?.read[0]?.content['timestamp_ns'] as string)
          for (const schema of schemas) {
            const messages = found.get(`${schema} ${channel}`)
            if (!(schema in expected)) {
              assert.ok((messages?.count ?? 0) < log!.count, `${schema} should have refused the value`)
              continue
            }
            const message = messages?.read.at(-1)
            assert.ok(message !== undefined, `${schema}: no message`)
            const wanted = expected[schema]
            assert.deepEqual(said(schema, message, wanted, timeNs), wanted, schema)
            const { content } = message
            const source = content['source_name'] ?? content['name'] ?? content['key'] ?? content['source'] ?? channel
            assert.equal(source, schema === 'text' ? textOf(channel) : channel)
          }
          assert.deepEqual(
            found.get(`ep01 ${channel}`)?.read.map(({ content }) => content['status']),
            [1, 2]
          )
        })
      }
    })
  }
})
