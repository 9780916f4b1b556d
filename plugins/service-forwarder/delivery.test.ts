// What reaches Kafka when it is slow, when nothing changes and when clocks are wrong.
import assert from 'node:assert/strict'
import { type Snapshot } from '../../core/api/plugin.js'
import { type Update } from '../../schemas/index.js'
import { forwarder, running, stopAll, stream, until } from '../../test/support/forwarder/forwarder.js'
import { nowNs } from '../../test/support/forwarder/parts.js'

/** Streams that together have shares enough to fill the buffer. */
const fillers = Array.from({ length: 40 }, (_, i) => stream(`FILL${i}`, { topic: 'b' }))

describe('service-forwarder: delivery', () => {
  afterEach(async () => {
    await stopAll()
  })

  describe('memory of large values', () => {
    it('is given back when a newer value has taken the place, once, and never while something waits for Kafka', async () => {
      const f = await forwarder({ buffer_bytes: 65_536, connection_schema: 'none' })
      await f.run('start', { streams: [stream('PV'), ...fillers] })
      const given: number[] = []
      const put = (n: number, more: Partial<Update> = {}) =>
        f.source.put('PV', n, { ...more, giveBack: () => given.push(n) })
      put(1, { first: true })
      assert.deepEqual(given, [])
      put(2)
      assert.deepEqual(given, [1])
      put(3, { timestampNs: nowNs() - 1_000_000_000_000n }) // Refused: older than the one before
      assert.deepEqual(given, [1])
      await f.run('start', { streams: [stream('PV', { topic: 'b', periodic_ms: 1 })] })
      assert.deepEqual(given, [1])
      f.kafka.held = true
      for (let i = 0; f.service.snapshot().state !== 'overloaded'; i++) f.source.put(`FILL${i % 40}`, 'x'.repeat(1000))
      put(4)
      assert.deepEqual(given, [1, 2])
      f.kafka.release()
      await until(() => f.service.snapshot().state === 'forwarding')
      assert.deepEqual([f.values('a').at(-1), f.values('b').at(-1)], [4, 4])
      assert.deepEqual(given, [1, 2])
    })
  })

  describe('a stream that becomes lossless while Kafka is away', () => {
    it('sends what waited first, whole, and does not look at memory that was given back', async () => {
      const f = await forwarder({ buffer_bytes: 65_536, connection_schema: 'none' })
      await f.run('start', { streams: [stream('PV'), ...fillers] })
      f.kafka.held = true
      for (let i = 0; f.service.snapshot().state !== 'overloaded'; i++) f.source.put(`FILL${i % 40}`, 'x'.repeat(1000))
      const put = (n: number) => {
        const value = [`${n}`]
        f.source.put('PV', value, { giveBack: () => (value[0] = 'used again') })
      }
      put(1)
      put(2)
      await f.run('start', { streams: [stream('PV', { lossless: true })] })
      for (const n of [3, 4]) put(n)
      f.kafka.release()
      await until(() => f.service.snapshot().state === 'forwarding')
      assert.deepEqual(f.values('a'), [['2'], ['3'], ['4']])
    })
  })

  describe('shares of the buffer', () => {
    it('keep a stream of large values from starving small ones', async () => {
      const f = await forwarder({ buffer_bytes: 65_536, connection_schema: 'none' })
      const smalls = Array.from({ length: 10 }, (_, i) => `PV${i}`)
      await f.run('start', {
        streams: [
          stream('LARGE', { topic: 'b' }),
          stream('LOSSLESS', { topic: 'b', lossless: true }),
          ...smalls.map((name) => stream(name))
        ]
      })
      f.kafka.held = true
      for (let i = 0; i < 20; i++) {
        f.source.put('LARGE', `${i} `.padEnd(20_000))
        f.source.put('LOSSLESS', `l${i} `.padEnd(5000))
        for (const name of smalls) f.source.put(name, `${name} ${i}`)
      }
      assert.equal(f.service.snapshot().state, 'forwarding')
      f.kafka.release()
      const values = () => f.values('b').map((value) => String(value).trimEnd())
      await until(() => values().includes('19') && values().includes('l19'))
      // All of the small ones, all of the lossless ones in their order, the newest large one
      for (const name of smalls)
        assert.deepEqual(f.values('a').filter((value) => String(value).startsWith(`${name} `)), Array.from({ length: 20 }, (_, i) => `${name} ${i}`)) // prettier-ignore
      assert.deepEqual(values().filter((value) => value.startsWith('l')), Array.from({ length: 20 }, (_, i) => `l${i}`)) // prettier-ignore
      const { superseded, lost, overloads } = f.service.snapshot() as Snapshot & Record<string, number>
      assert.ok((superseded ?? 0) >= 15, String(superseded))
      assert.deepEqual([lost, overloads], [0, 0])
    })
  })

  describe('overload', () => {
    const small = { buffer_bytes: 65_536, connection_schema: 'none' }
    /** Fills the producer's buffer. */
    const fill = (f: Awaited<ReturnType<typeof forwarder>>) => {
      f.kafka.held = true
      for (let i = 0; f.service.snapshot().state !== 'overloaded'; i++)
        f.source.put(`FILL${i % fillers.length}`, 'x'.repeat(1000), { first: i < fillers.length })
    }

    it('lets the newest value of each stream win, counts the rest and keeps what is lossless', async () => {
      const f = await forwarder(small)
      await f.run('start', {
        streams: [...fillers, stream('PV1'), stream('PV2'), stream('PV3', { lossless: true })]
      })
      fill(f)
      for (let i = 0; i < 500; i++) for (const name of ['PV1', 'PV2', 'PV3']) f.source.put(name, `${name} ${i}`)
      assert.equal(f.service.snapshot()['superseded'], 2 * 499)
      f.kafka.release()
      await until(() => f.service.snapshot().state === 'forwarding')
      assert.deepEqual(
        f.values('a').filter((value) => !String(value).startsWith('PV3')),
        ['PV1 499', 'PV2 499']
      )
      assert.deepEqual(
        f.values('a').filter((value) => String(value).startsWith('PV3')),
        Array.from({ length: 500 }, (_, i) => `PV3 ${i}`)
      )
      f.source.put('PV1', 'after')
      assert.equal(f.values('a').at(-1), 'after')
      const { messages, acknowledged, lost, overloads } = f.service.snapshot()
      assert.deepEqual([messages, lost, overloads], [acknowledged, 0, 1])
    })

    it('bounds lossless streams by bytes and says what was lost', async () => {
      const f = await forwarder({ ...small, lossless_bytes: 65_536 })
      await f.run('start', { streams: [...fillers, stream('PV1', { lossless: true })] })
      fill(f)
      for (let i = 0; i < 100; i++) f.source.put('PV1', `${i} `.padEnd(2000))
      const { lost, kept_bytes: kept } = f.service.snapshot() as Snapshot & { lost: number; kept_bytes: number }
      assert.ok(lost > 60 && kept <= 65_536, `lost ${lost}, kept ${kept}`)
      assert.equal(f.context.logs.filter(({ level }) => level === 'error').length, 1)
      f.kafka.release()
      await until(() => f.service.snapshot().state === 'forwarding')
      assert.equal(f.values('a').length + lost, 100)
      assert.equal(f.service.snapshot()['kept_bytes'], 0)
    })

    it('keeps connection and alarm changes', async () => {
      const f = await forwarder({ buffer_bytes: 65_536 })
      await f.run('start', { streams: [...fillers, stream('PV1', { converter: 'f144' })] })
      fill(f)
      f.source.connect('PV1', 1)
      f.source.connection('PV1', 3)
      f.source.connect('PV1', 2)
      f.kafka.release()
      await until(() => f.service.snapshot().state === 'forwarding')
      assert.deepEqual(
        f.sent('a', 'ep01').map(({ connection }) => connection),
        [2, 3, 2]
      )
      assert.deepEqual(f.values('a', 'f144'), [2])
    })

    it('keeps the newest value of a channel that disconnects meanwhile', async () => {
      const f = await forwarder({ buffer_bytes: 65_536 })
      await f.run('start', {
        streams: [...fillers, stream('PV1'), stream('PV1', { converter: 'ep01' })]
      })
      f.source.connect('PV1', 1)
      fill(f)
      f.source.put('PV1', 2)
      f.source.connection('PV1', 3)
      f.kafka.release()
      await until(() => f.service.snapshot().state === 'forwarding')
      assert.deepEqual(f.values('a'), [1, 2])
      const states = (id: string) => f.sent('a', id).map(({ connection }) => connection)
      assert.deepEqual(
        [states('ep01'), states('ep00')],
        [
          [2, 3],
          [2, 3]
        ]
      )
    })

    it('sends nothing more of a stream that was stopped meanwhile', async () => {
      const f = await forwarder(small)
      await f.run('start', { streams: [...fillers, stream('PV1')] })
      fill(f)
      f.source.put('PV1', 1)
      await f.run('stop', { channels: ['PV1'] })
      f.kafka.release()
      await until(() => f.service.snapshot().state === 'forwarding')
      assert.deepEqual(f.values('a'), [])
    })
  })

  describe('repeat of last values', () => {
    it('sends the last value again with its own time, only when nothing newer was sent', async () => {
      const { run, source, sent } = await forwarder({ periodic_ms: 100, connection_schema: 'none' })
      await run('start', { streams: [stream('PV1'), stream('BUSY'), stream('NEVER', { periodic_ms: 0 })] })
      for (const name of ['PV1', 'BUSY', 'NEVER']) source.connect(name, 1)
      const busy = setInterval(() => source.put('BUSY', 2), 20)
      await until(() => sent('a').filter(({ repeat }) => repeat).length >= 3)
      clearInterval(busy)
      const repeats = sent('a').filter(({ repeat }) => repeat)
      assert.deepEqual(new Set(repeats.map((one) => one.source)), new Set(['PV1']))
      assert.deepEqual(
        new Set(
          sent('a')
            .filter((one) => one.source === 'PV1')
            .map(({ time }) => time)
        ).size,
        1
      )
    })

    it('ends while the channel is disconnected', async () => {
      const { run, source, sent } = await forwarder({ connection_schema: 'none' })
      await run('start', { streams: ['PV1', 'PV2'].map((name) => stream(name, { periodic_ms: 20 })) })
      const repeats = (name: string): number => sent('a').filter((one) => one.source === name).length
      for (const name of ['PV1', 'PV2']) source.connect(name, 1)
      await until(() => repeats('PV1') > 1)
      source.connection('PV1', 3)
      const before = [repeats('PV1'), repeats('PV2')] as const
      // The one that is connected goes on
      await until(() => repeats('PV2') > before[1] + 5)
      assert.equal(repeats('PV1'), before[0])
    })
  })

  describe('clocks', () => {
    const hour = 3_600_000_000_000n

    const sentOf = {
      recent: ['old', 'good', 'same', 'back', 'soon', 'back again'],
      send: ['old', 'good', 'same', 'back', 'soon', 'back again', 'far back'],
      refuse: ['old', 'good', 'same', 'soon']
    }
    for (const [older, sent] of Object.entries(sentOf))
      it(`lets a first value pass whatever its age, refuses what lies ahead; what goes back: ${older}`, async () => {
        const { run, source, values, service, context } = await forwarder({ older })
        await run('start', { streams: [stream('PV1')] })
        const now = nowNs()
        source.connect('PV1', 'old', { timestampNs: now - 10_000n * hour })
        source.put('PV1', 'good', { timestampNs: now })
        source.put('PV1', 'same', { timestampNs: now })
        source.put('PV1', 'back', { timestampNs: now - 1n })
        source.put('PV1', 'ahead', { timestampNs: now + hour })
        source.put('PV1', 'soon', { timestampNs: now + hour / 12n })
        source.put('PV1', 'back again', { timestampNs: now + 1n })
        source.put('PV1', 'far back', { timestampNs: now - hour })
        assert.deepEqual(values('a'), sent)
        const { first_old: old, older: refused, went_back: wentBack, ahead } = service.snapshot()
        assert.deepEqual([old, refused, wentBack, ahead], [1, 7 - sent.length, sent.length - 4, 1])
        // Told once per kind
        const kinds = older === 'recent' ? 3 : 2
        assert.equal(context.logs.filter(({ level }) => level === 'warn').length, kinds)
        source.connect('PV1', 'reconnected', { timestampNs: now - hour })
        assert.equal(values('a').at(-1), 'reconnected')
      })

    for (const [what, timestampNs] of [
      ['0', 0n],
      ['1990', 631_152_000_000_000_000n]
    ] as const) {
      it(`stamps a record that was never processed (time ${what}) with the time of arrival, or drops it`, async () => {
        for (const never of ['stamp', 'drop']) {
          const { run, source, sent, service } = await forwarder({ never_processed: never, connection_schema: 'none' })
          await run('start', { streams: [stream('PV1')] })
          source.connect('PV1', 'udf', { timestampNs })
          // The IOC's clock may be a little behind ours
          source.put('PV1', 'real', { timestampNs: nowNs() - 1_000_000_000n })
          const found = sent('a').map(({ value }) => value)
          assert.deepEqual(found, never === 'stamp' ? ['udf', 'real'] : ['real'])
          if (never === 'stamp') assert.ok(nowNs() - BigInt(sent('a')[0]!.time!) < 10_000_000_000n)
          assert.equal(service.snapshot()['never_processed'], 1)
        }
      })
    }
  })

  describe('the end', () => {
    it('sends what waits before it ends', async () => {
      const f = await forwarder()
      await f.run('start', { streams: [stream('PV1')] })
      f.kafka.held = true
      f.source.connect('PV1', 1)
      running.length = 0
      let ended = false
      const stopped = f.service.stop().then(() => (ended = true))
      await new Promise((resolve) => setImmediate(resolve))
      assert.deepEqual([f.values('a'), ended], [[], false])
      f.kafka.release()
      await stopped
      assert.deepEqual(f.values('a'), [1])
      assert.equal(f.source.open.size, 0)
      assert.equal(f.kafka.producers.size, 0)
    })

    it('sends before it ends what waits behind a full buffer', async () => {
      const f = await forwarder({ buffer_bytes: 65_536, connection_schema: 'none' })
      await f.run('start', {
        streams: [...fillers, stream('PV1'), stream('PV2', { lossless: true })]
      })
      f.kafka.held = true
      for (let i = 0; f.service.snapshot().state !== 'overloaded'; i++)
        f.source.put(`FILL${i % fillers.length}`, 'x'.repeat(1000))
      for (let i = 0; i < 3; i++) for (const name of ['PV1', 'PV2']) f.source.put(name, `${name} ${i}`)
      running.length = 0
      const stopped = f.service.stop()
      await new Promise((resolve) => setImmediate(resolve))
      f.kafka.release()
      await stopped
      assert.deepEqual(f.values('a'), ['PV2 0', 'PV2 1', 'PV2 2', 'PV1 2'])
      assert.deepEqual(
        f.context.logs.filter(({ level }) => level === 'error'),
        []
      )
    })
  })
})
