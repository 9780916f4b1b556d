// Values and clocks from a real server to Kafka: which times are believed, and a value derived from two PVs.
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { liveForwarder, readUntil, settled, until, type Live } from '../support/forwarder/live.js'
import { startIoc, type Ioc } from '../support/ioc.js'
import { kafka, testTopics } from '../support/kafka.js'
import { readByReference } from '../support/reference.js'

const ratio = fileURLToPath(new URL('../../../examples/plugins/converter-ratio.mjs', import.meta.url))

describe('EPICS values and clocks', function () {
  this.timeout(120_000)
  let ioc: Ioc
  let brokers: string[]
  let live: Live

  before(async () => {
    ;[ioc, { brokers }] = await Promise.all([startIoc({ kind: 'p4p', macros: { P: 'P:' } }), kafka()])
    live = await liveForwarder(brokers, [ioc], { default_protocol: 'pva' }, [ratio])
  })
  after(async () => {
    await live?.close()
    await ioc?.stop()
  })

  const read = async (topic: string) => {
    const messages = (await settled(brokers, topic, live)).filter(({ id }) => id === 'f144')
    return (await readByReference(messages.map(({ value }) => value))).map(({ content }) => content)
  }

  it('believes the first time after a connect; then none that lies ahead, and counts those that go back', async () => {
    const { values } = (await testTopics(['values'])) as { values: string }
    await live.run('start', { streams: [{ channel: 'P:counter', converter: 'f144', topic: values }] })
    // The server began with a value of 2023.
    await readUntil(brokers, values, (messages) => messages.some(({ id }) => id === 'f144'))
    assert.equal(live.figure('first_old'), 1)
    const now = Math.floor(Date.now() / 1000)
    const puts: [value: number, seconds: number, ns: number][] = [
      [1, now, 2],
      [2, now, 1],
      [3, now - 100, 0],
      [4, now + 3600, 0],
      [5, now, 2],
      [6, now, 3],
      [7, now + 300, 999_999_999]
    ]
    for (const [value, ...timestamp] of puts) await ioc.put('P:counter', value, { timestamp })
    await readUntil(brokers, values, (messages) => messages.filter(({ id }) => id === 'f144').length === 7)
    const time = (seconds: number, ns: number): string => `${BigInt(seconds) * 1_000_000_000n + BigInt(ns)}n`
    assert.deepEqual(
      (await read(values)).map((one) => [one['value'], one['timestamp_unix_ns']]),
      [
        [0, '1700000000123456789n'],
        [1, time(now, 2)],
        [2, time(now, 1)],
        [3, time(now - 100, 0)],
        [5, time(now, 2)],
        [6, time(now, 3)],
        [7, time(now + 300, 999_999_999)]
      ]
    )
    assert.deepEqual(
      ['older', 'went_back', 'ahead', 'first_old'].map((what) => live.figure(what)),
      [0, 2, 1, 1]
    )
  })

  it('sends alarms and connections as messages of their own, the same over both protocols', async () => {
    const db = 'record(ao, "A:x") { field(PINI, "YES") field(VAL, "0") field(HIHI, "90") field(HIGH, "50") field(LOW, "-50") field(LOLO, "-90") field(HHSV, "MAJOR") field(HSV, "MINOR") field(LSV, "MINOR") field(LLSV, "MAJOR") }' // prettier-ignore
    const topics = await testTopics(['ca', 'pva'])
    const own = await startIoc({ kind: 'qsrv2', db })
    const both = await liveForwarder(brokers, [own])
    try {
      const streams = (['ca', 'pva'] as const).map((protocol) => ({
        ...{ channel: 'A:x', protocol, converters: ['f142', 'f144'], topic: topics[protocol] },
        connection_schema: 'ep01'
      }))
      assert.equal((await both.run('start', { streams })).response, 'ACK')
      await until(() => both.figure('connected') === 2 && both.figure('updates') === 2)
      let updates = 2
      for (const value of [95, 96, 60, -60, -95, 1]) {
        await own.put('A:x', value)
        updates += 2
        await until(() => both.figure('updates') === updates)
      }
      await own.kill9()
      await until(() => both.figure('connected') === 0)
      const read = async (topic: string) =>
        readByReference((await settled(brokers, topic, both)).map(({ value }) => value))
      for (const protocol of ['ca', 'pva'] as const) {
        const messages = await read(topics[protocol])
        const of = (schema: string) => messages.filter(({ id }) => id === schema).map(({ content }) => content)
        assert.deepEqual(
          of('al00').map((one) => [one['source'], one['severity'], one['message']]),
          [
            ['A:x', 0, 'NO_ALARM'],
            ['A:x', 2, 'HIHI'],
            ['A:x', 1, 'HIGH'],
            ['A:x', 1, 'LOW'],
            ['A:x', 2, 'LOLO'],
            ['A:x', 0, 'NO_ALARM']
          ]
        )
        assert.deepEqual(of('ep01').map((one) => [one['source_name'], one['status']]), [1, 2, 3].map((state) => ['A:x', state])) // prettier-ignore
        // f142 numbers severities in its own way: MINOR, MAJOR, none
        assert.deepEqual(
          of('f142').map((one) => [one['value'], one['alarm_severity']]),
          [[0, 2], [95, 1], [96, 1], [60, 0], [-60, 0], [-95, 1], [1, 2]] // prettier-ignore
        )
        assert.equal(of('f144').length, 7)
      }
    } finally {
      await both.close()
      await own.stop()
    }
  })

  it('lets one converter be shared by two PVs: the ratio of both, whenever one changes', async () => {
    const { derived } = (await testTopics(['derived'])) as { derived: string }
    const [a, b] = ['P:scalar:float64', 'P:scalar:float32']
    const converter = { schema: 'ratio', name: 'gear', over: a, under: b, result: 'P:GEAR' }
    const stream = { topic: derived, converter, alarm_schema: 'none', connection_schema: 'none' }
    const reply = await live.run('start', { streams: [{ channel: a, ...stream }, { channel: b, ...stream }] }) // prettier-ignore
    assert.deepEqual([reply.response, reply.errors], ['ACK', undefined])
    const count = (n: number) => readUntil(brokers, derived, (messages) => messages.length === n)
    await count(1)
    await ioc.put(a, 9, { timestamp: [1_750_000_000, 1] })
    await count(2)
    await ioc.put(b, 4, { timestamp: [1_750_000_000, 7] })
    await count(3)
    assert.deepEqual(
      (await read(derived)).map((one) => [one['source_name'], one['value'], one['timestamp_unix_ns']]),
      [
        ['P:GEAR', 2.5 / 1.5, '1700000000123456789n'],
        ['P:GEAR', 9 / 1.5, '1750000000000000001n'],
        ['P:GEAR', 2.25, '1750000000000000007n']
      ]
    )
  })
})
