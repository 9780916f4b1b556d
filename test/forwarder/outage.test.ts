// Kafka is killed while many PVs change, some of them missing, and comes back: what is lossless is whole, of the rest the newest
// value is there, all of it counted per stream. With 5,000 PVs and a minute: bench/forwarder.ts --case outage.
import assert from 'node:assert/strict'
import { type Vector } from '../../schemas/index.js'
import { type Account, accounts } from '../support/forwarder/accounts.js'
import { type Live, liveForwarder, until } from '../support/forwarder/live.js'
import { type Ioc, startIoc } from '../support/ioc.js'
import { type RunningKafka, startKafka, testTopics } from '../support/kafka.js'

const many = (kind: string, count: number): string[] => Array.from({ length: count }, (_, i) => `O:${kind}${i}`)
const [lossless, newest, idle, missing] = [many('LOSSLESS', 6), many('NEWEST', 12), many('IDLE', 2), many('NONE', 3)]
const present = [...lossless, ...newest, ...idle]
const changing = [...lossless, ...newest]
const ELEMENTS = 256
const db = present
  .map((name) => `record(waveform, "${name}") { field(FTVL, "DOUBLE") field(NELM, "${ELEMENTS}") }`)
  .join('\n')
const BUFFER_BYTES = 65_536
const PUTS = 30
/** An array that is known by its first element; 2 KB, so that few of them fill the buffer. */
const numbered = (n: number): number[] => new Array<number>(ELEMENTS).fill(n)
const numbers = (account: Account | undefined): number[] =>
  account!.values.map((value) => Buffer.from((value as Vector).bytes).readDoubleLE(0))
const upTo = (n: number): number[] => Array.from({ length: n + 1 }, (_, i) => i)

interface Row {
  readonly channel: string
  readonly streams: readonly { readonly superseded?: number; readonly lost?: number }[]
}

describe('forwarder while Kafka is away', function () {
  this.timeout(240_000)
  let own: RunningKafka
  let ioc: Ioc
  let live: Live | undefined

  before(async () => {
    ;[own, ioc] = await Promise.all([startKafka({ own: true }), startIoc({ kind: 'qsrv2', db })])
  })
  after(async () => {
    await live?.close()
    await ioc?.stop()
    await own?.stop()
  })

  for (const protocol of ['ca', 'pva']) {
    it(`accounts for every value put over ${protocol}`, async () => {
      const { values } = await testTopics(['values'], { brokers: own.brokers })
      live = await liveForwarder(own.brokers, [ioc], { buffer_bytes: BUFFER_BYTES, default_protocol: protocol })
      const { figure, service } = live
      for (const name of present) await ioc.put(name, numbered(0))
      const stream = (channel: string, more = {}) => ({ channel, converter: 'f142', topic: values, ...more })
      await live.run('start', {
        streams: [
          ...lossless.map((name) => stream(name, { lossless: true })),
          ...[...newest, ...idle, ...missing].map((name) => stream(name))
        ]
      })
      let received = present.length
      const sent = () => figure('messages') === figure('acknowledged')
      await until(() => figure('updates') === received && sent())
      // One at a time: a server merges what comes faster than it sends
      const put = async (n: number): Promise<void> => {
        await Promise.all(changing.map((name) => ioc.put(name, numbered(n))))
        received += changing.length
        await until(() => figure('updates') === received)
      }
      for (let n = 1; n <= 5; n++) await put(n)
      await until(sent)

      await own.kill9(0)
      for (let n = 6; n <= PUTS; n++) await put(n)
      assert.equal(service.snapshot().state, 'waiting for Kafka')
      assert.ok(figure('overloads') > 0)
      const { buffered_bytes: buffered, kept_bytes: kept } = service.snapshot() as unknown as Record<string, number>
      assert.ok(buffered! >= BUFFER_BYTES && buffered! < BUFFER_BYTES + 5000, `${buffered} bytes wait in the producer`)
      assert.ok(kept! > 0 && kept! < lossless.length * PUTS * 2200, `${kept} bytes of lossless messages wait`)
      await own.restart(0)
      await until(() => service.snapshot().state === 'forwarding' && sent(), 120_000)
      await put(PUTS + 1)
      await until(sent)

      const found = await accounts(own.brokers, values)
      const { result } = await live.run('status')
      const rows = new Map((result as { channels: Row[] }).channels.map((row) => [row.channel, row.streams[0]!]))
      for (const name of lossless) assert.deepEqual(numbers(found.get(name)), upTo(PUTS + 1), name)
      let superseded = 0
      for (const name of newest) {
        const there = numbers(found.get(name))
        assert.deepEqual(there.slice(-2), [PUTS, PUTS + 1], `${name}: the newest value, and what came after it`)
        assert.deepEqual(
          there,
          [...new Set(there)].toSorted((x, y) => x - y),
          `${name}: in order, nothing twice`
        )
        const counted = rows.get(name)?.superseded ?? 0
        assert.ok(counted > 0, name)
        assert.equal(there.length + counted, PUTS + 2, `${name}: every value is sent or counted`)
        superseded += counted
      }
      for (const name of idle) assert.deepEqual(numbers(found.get(name)), [0], name)
      for (const name of missing) assert.deepEqual([found.get(name)?.values, found.get(name)?.connections], [[], [1]])
      assert.equal(figure('superseded'), superseded)
      const metric = service.snapshot().metrics?.find(({ name }) => name === 'nexstream_forwarder_superseded_total')
      assert.equal(metric?.value, superseded)
      assert.equal(figure('lost'), 0)
      await live.close()
      live = undefined
    })
  }
})
