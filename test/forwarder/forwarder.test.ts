// EPICS to Kafka on real parts: every put is one message, as ess-streaming-data-types reads it.
import assert from 'node:assert/strict'
import { startIoc, type Ioc } from '../support/ioc.js'
import { kafka, testTopics } from '../support/kafka.js'
import { liveForwarder, type Live, type Message, readUntil, settled, until } from '../support/forwarder/live.js'
import { runPython } from '../support/python.js'

const db = `
record(ao, "T:A") { field(PINI, "YES") field(VAL, "0") field(EGU, "mm") field(HIGH, "50") field(HSV, "MINOR") field(HIHI, "80") field(HHSV, "MAJOR") }
record(ao, "T:B") { field(PINI, "YES") field(VAL, "0") }
record(longout, "T:L") { field(PINI, "YES") field(VAL, "7") }
record(stringout, "T:S") { field(PINI, "YES") field(VAL, "hello") }
record(waveform, "T:W") { field(FTVL, "DOUBLE") field(NELM, "8") field(PINI, "YES") field(INP, [1.5, 2.5, 3.5]) }
record(ao, "T:UDF") { field(EGU, "V") }
`

/** Prints each message (base64 lines) as one JSON line, read by the reference package. */
const decodeScript = `
import sys, json, base64, enum
from streaming_data_types import DESERIALISERS
def plain(x):
    if isinstance(x, enum.Enum): return x.value
    if hasattr(x, "_asdict"): return {k: plain(v) for k, v in x._asdict().items()}
    if hasattr(x, "__dict__"): return {k: plain(v) for k, v in vars(x).items()}
    if hasattr(x, "tolist"): return x.tolist()
    if isinstance(x, bytes): return x.decode()
    return x
for line in sys.stdin:
    raw = base64.b64decode(line)
    decoded = DESERIALISERS[raw[4:8].decode()](raw)
    print(json.dumps({"id": raw[4:8].decode(), "content": plain(decoded)}, default=str))
`

/** Severities as f142 numbers them. */
const [minor, major, noAlarm, invalid] = [0, 1, 2, 3]

interface Decoded {
  readonly id: string
  readonly content: Readonly<Record<string, unknown>>
}

async function decode(messages: readonly Message[]): Promise<Decoded[]> {
  const input = messages.map(({ value }) => value.toString('base64')).join('\n')
  const lines = (await runPython(decodeScript, [], input)).trim().split('\n')
  return lines.map((line) => JSON.parse(line) as Decoded)
}

describe('forwarder on a real Kafka and a real IOC', () => {
  let ioc: Ioc
  let brokers: string[]
  const open: Live[] = []

  before(async function () {
    this.timeout(180_000)
    ;[ioc, { brokers }] = await Promise.all([startIoc({ kind: 'qsrv2', db }), kafka()])
  })
  afterEach(async () => {
    for (const live of open.splice(0)) await live.close()
  })
  after(() => ioc.stop())

  const start = async (options: Record<string, unknown> = {}): Promise<Live> => {
    const live = await liveForwarder(brokers, [ioc], options)
    open.push(live)
    return live
  }
  const connected = (live: Live, channels: number) =>
    until(() => live.figure('connected') === channels && live.figure('updates') >= channels)

  for (const protocol of ['ca', 'pva']) {
    it(`sends every put over ${protocol} once, in order, with value, alarm and time`, async () => {
      const { values } = await testTopics(['values'])
      const live = await start()
      await ioc.put('T:A', 0)
      await live.run('start', { streams: [{ channel: 'T:A', protocol, converter: 'f142', topic: values }] })
      await connected(live, 1)
      const before = Date.now()
      const puts = await ioc.ramp(['T:A'], 100, 200)
      await until(() => live.figure('updates') >= puts + 1)
      const messages = await settled(brokers, values, live)
      const data = (await decode(messages)).filter(({ id }) => id === 'f142').map(({ content }) => content)
      assert.deepEqual(
        data.map(({ value }) => value),
        Array.from({ length: 101 }, (_, i) => i)
      )
      const severities = data.map(({ alarm_severity: severity }) => severity as number)
      assert.deepEqual([severities[49], severities[50], severities[79], severities[80]], [noAlarm, minor, minor, major])
      const times = data.map(({ timestamp_unix_ns: time }) => Number(time) / 1e6)
      times.slice(2).forEach((time, i) => assert.ok(time >= times[i + 1]!))
      assert.ok(Math.abs(times[50]! - before) < 30_000)
      assert.ok(messages.every(({ key }) => key === 'T:A'))
      const kept = messages.filter(({ id }) => id === 'f142')
      kept.forEach(({ timestampMs }, i) => assert.ok(Math.abs(timestampMs - Math.floor(times[i]!)) <= 1))
      assert.equal(live.figure('lost') + live.figure('superseded') + live.figure('convert_errors'), 0)
    })
  }

  it('serves several converters of a PV, one converter of several PVs and several PVs on one topic', async () => {
    const { one, many } = await testTopics(['one', 'many'])
    const live = await start({ default_protocol: 'ca' })
    const shared = { schema: 'f142', name: 'shared' }
    const reply = await live.run('start', {
      streams: [
        {
          channel: 'T:L',
          converters: [
            { schema: 'f142', topic: one },
            { schema: 'f144', topic: many }
          ]
        },
        { channel: 'T:B', converter: shared, topic: many },
        { channel: 'T:W', converter: shared, topic: many },
        { channel: 'T:S', converter: shared, topic: many }
      ]
    })
    assert.deepEqual([reply.response, reply.errors], ['ACK', undefined])
    await connected(live, 4)
    await ioc.put('T:L', 8)
    await ioc.put('T:B', 2.5)
    await until(() => live.figure('updates') >= 6)
    const [single, mixed] = [
      await decode(await settled(brokers, one, live)),
      await decode(await settled(brokers, many, live))
    ]
    const valuesOf = (all: readonly Decoded[], schema: string, source: string): unknown[] =>
      all
        .filter(({ id, content }) => id === schema && content['source_name'] === source)
        .map(({ content }) => content['value'])
    assert.deepEqual(valuesOf(single, 'f142', 'T:L'), [7, 8])
    assert.deepEqual(valuesOf(mixed, 'f144', 'T:L'), [7, 8])
    assert.equal(valuesOf(mixed, 'f142', 'T:B').at(-1), 2.5)
    assert.deepEqual(valuesOf(mixed, 'f142', 'T:W'), [[1.5, 2.5, 3.5]])
    assert.deepEqual(valuesOf(mixed, 'f142', 'T:S'), ['hello'])
    const beside = mixed
      .filter(({ content }) => (content['source_name'] ?? content['source']) === 'T:L')
      .map(({ id }) => id)
    assert.ok(beside.includes('al00') && beside.includes('ep01'), beside.join())
  })

  it('replaces the list without a gap in what stays', async () => {
    const { stays, moves } = await testTopics(['stays', 'moves'])
    const live = await start({ default_protocol: 'ca' })
    const stream = (channel: string, topic: string) => ({ channel, converter: 'f142', topic })
    await ioc.put('T:A', 0)
    await live.run('config', { streams: [stream('T:A', stays), stream('T:B', stays)] })
    await connected(live, 2)
    const ramp = ioc.ramp(['T:A'], 200, 200)
    for (let i = 0; i < 20; i++) {
      const before = live.figure('updates')
      await live.run('config', { streams: [stream('T:A', stays), stream('T:B', i % 2 === 0 ? moves : stays)] })
      // Values come between two changes of the list
      await until(() => live.figure('updates') >= before + 3)
    }
    await ramp
    await until(() => live.figure('updates') >= 202)
    const data = (await decode(await settled(brokers, stays, live))).filter(
      ({ id, content }) => id === 'f142' && content['source_name'] === 'T:A'
    )
    assert.deepEqual(
      data.map(({ content }) => content['value']),
      Array.from({ length: 201 }, (_, i) => i)
    )
  })

  it('sends the value of a record that was never processed, with the time of arrival and its alarm', async () => {
    const { values } = await testTopics(['values'])
    const live = await start({ default_protocol: 'ca' })
    await live.run('start', { streams: [{ channel: 'T:UDF', converter: 'f142', topic: values }] })
    await connected(live, 1)
    const [data] = (await decode(await settled(brokers, values, live))).filter(({ id }) => id === 'f142')
    assert.equal(data?.content['alarm_severity'], invalid)
    assert.ok(Math.abs(Number(data?.content['timestamp_unix_ns']) / 1e6 - Date.now()) < 60_000)
    assert.equal(live.figure('never_processed'), 1)
  })

  it('tells an IOC that was killed and comes back, and goes on', async () => {
    const { values } = await testTopics(['values'])
    const own = await startIoc({ kind: 'ca', db })
    try {
      const live = await liveForwarder(brokers, [own])
      open.push(live)
      await live.run('start', { streams: [{ channel: 'T:L', protocol: 'ca', converter: 'f144', topic: values }] })
      await connected(live, 1)
      await own.kill9()
      await until(() => live.figure('connected') === 0)
      await own.restart()
      await connected(live, 1)
      await until(() => live.figure('updates') >= 2)
      await own.put('T:L', 9)
      await until(() => live.figure('updates') >= 3)
      const all = await decode(await settled(brokers, values, live))
      const of = (schema: string, key: string): unknown[] =>
        all.filter(({ id }) => id === schema).map(({ content }) => content[key])
      assert.deepEqual(of('f144', 'value'), [7, 7, 9])
      assert.deepEqual(of('ep01', 'status').slice(-3), [2, 3, 2])
      assert.equal(of('al00', 'severity').length, 2, 'the alarm is told again after the restart')
      assert.equal(live.figure('disconnects'), 1)
    } finally {
      await own.stop()
    }
  })

  it('restores its list from the storage topic', async () => {
    const { values, keep } = await testTopics(['values', 'keep'])
    const first = await start({ storage_topic: keep, default_protocol: 'ca' })
    await first.run('start', {
      streams: [
        { channel: 'T:L', converter: 'f142', topic: values },
        { channel: 'T:S', converter: 'f142', topic: values }
      ]
    })
    await first.run('stop', { channels: ['T:S'] })
    await first.close()
    open.length = 0
    const before = (await readUntil(brokers, keep, (messages) => messages.length >= 2)).length
    const second = await start({ storage_topic: keep, default_protocol: 'ca' })
    await connected(second, 1)
    assert.deepEqual([second.figure('streams'), before], [1, 2])
  })
})
