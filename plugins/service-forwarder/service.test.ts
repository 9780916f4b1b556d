// The forwarder's streams, commands and status, on an in-memory Kafka.
import assert from 'node:assert/strict'
import { forwarder, stopAll, stream, where } from '../../test/support/forwarder/forwarder.js'

describe('service-forwarder', () => {
  afterEach(async () => {
    await stopAll()
  })

  describe('streams', () => {
    it('sends every update once, in order, under the key of the source', async () => {
      const { source, run, values, kafka } = await forwarder()
      assert.equal((await run('start', { streams: [stream('PV1')] })).response, 'ACK')
      source.connect('PV1', 0)
      for (let i = 1; i < 100; i++) source.put('PV1', i)
      assert.deepEqual(
        values('a'),
        Array.from({ length: 100 }, (_, i) => i)
      )
      assert.equal(kafka.messages('a').at(-1)?.key, 'PV1')
    })

    it('stamps messages with the time of the value', async () => {
      const { source, run, kafka } = await forwarder({ connection_schema: 'none' })
      await run('start', { streams: [stream('PV1')] })
      source.put('PV1', 1, { first: true, timestampNs: 1_500_000_000_123_000_000n })
      source.put('PV1', 2, { timestampNs: 1_500_000_000_123_999_000n })
      assert.deepEqual(
        kafka.messages('a').map(({ timestampMs }) => timestampMs),
        [1_500_000_000_123, 1_500_000_000_123]
      )
    })

    it('serves several converters, topics and streams of a channel by one subscription', async () => {
      const { source, run, values } = await forwarder()
      const converters = [
        'f142',
        { schema: 'f142', topic: 'b', factor: 10 },
        { schema: 'f144', topic: 'b', source_name: 'other' }
      ]
      const reply = await run('start', { streams: [{ channel: 'PV1', topic: 'a', converters }, stream('PV2')] })
      assert.equal(reply.result.added, 4)
      assert.deepEqual(source.opened, ['PV1', 'PV2'])
      source.connect('PV1', 4)
      source.connect('PV2', 5)
      assert.deepEqual([values('a'), values('b'), values('b', 'f144')], [[4, 5], [40], [4]])
    })

    it('renames the source where asked', async () => {
      const { source, run, sent, kafka } = await forwarder()
      await run('start', { streams: [stream('PV1', { source_name: 'temperature' })] })
      source.connect('PV1', 1)
      assert.deepEqual(new Set(sent('a').map((one) => one.source)), new Set(['temperature']))
      assert.deepEqual(new Set(kafka.messages('a').map(({ key }) => key)), new Set(['temperature']))
    })

    it('shares one converter among streams that name it, and no other', async () => {
      const { source, run, sent, opened } = await forwarder({ connection_schema: 'none' })
      const shared = { schema: 'f142', name: 'mine' }
      await run('start', { streams: ['PV1', 'PV2'].map((name) => stream(name, { converter: shared })) })
      await run('start', { streams: [stream('PV3'), stream('PV4')] })
      for (const name of ['PV1', 'PV2', 'PV3', 'PV4']) source.connect(name, 1)
      assert.deepEqual(
        sent('a').map(({ number }) => number),
        [1, 1, 2, 3]
      )
      const other = await run('start', { streams: [stream('PV5', { converter: { schema: 'f144', name: 'mine' } })] })
      assert.deepEqual([other.response, where(other)], ['ERR', ['COMMAND_INVALID /streams']])
      await run('stop', { channels: ['PV1', 'PV2'] })
      const free = await run('start', { streams: [stream('PV5', { converter: { schema: 'f144', name: 'mine' } })] })
      assert.equal(free.response, 'ACK')
      assert.deepEqual(opened, ['f142', 'f142', 'f142', 'f144', 'al00'])
    })

    it('keeps two streams on one channel independent', async () => {
      const { source, run, values } = await forwarder()
      await run('start', { streams: [stream('PV1'), stream('PV1', { topic: 'b' })] })
      source.connect('PV1', 1)
      await run('stop', { streams: [{ channel: 'PV1', topic: 'b' }] })
      source.put('PV1', 2)
      assert.deepEqual([values('a'), values('b')], [[1, 2], [1]])
      assert.equal(source.open.size, 1)
      await run('stop', { all: true })
      assert.equal(source.open.size, 0)
    })

    it('gives a stream that is added later the present state at once', async () => {
      const { source, run, sent } = await forwarder()
      await run('start', { streams: [stream('PV1')] })
      source.connect('PV1', 7, { alarm: { severity: 1, status: 4, message: 'HIGH' } })
      await run('start', { streams: [stream('PV1', { topic: 'b', converter: 'f144' })] })
      assert.deepEqual(sent('b', 'f144')[0]?.value, 7)
      assert.deepEqual(sent('b', 'al00')[0]?.severity, 1)
      assert.deepEqual(sent('b', 'ep01')[0]?.connection, 2)
      assert.equal(source.opened.length, 1)
    })
  })

  describe('what goes beside the values', () => {
    it('is al00 and ep01 with f144, ep00 with f142', async () => {
      const { source, run, sent } = await forwarder()
      await run('start', { streams: [stream('PV1'), stream('PV2', { topic: 'b', converter: 'f144' })] })
      for (const name of ['PV1', 'PV2']) source.connect(name, 1)
      assert.deepEqual(
        sent('a')
          .map(({ id }) => id)
          .sort(),
        ['ep00', 'f142']
      )
      assert.deepEqual(
        sent('b')
          .map(({ id }) => id)
          .sort(),
        ['al00', 'ep01', 'f144']
      )
    })

    it('is one message a change, however many streams share the topic', async () => {
      const { source, run, sent } = await forwarder()
      const converters = ['f144', { schema: 'f144', factor: 2 }]
      await run('start', { streams: [{ channel: 'PV1', topic: 'a', converters }] })
      source.connect('PV1', 1)
      source.put('PV1', 2)
      source.put('PV1', 3, { alarm: { severity: 2, status: 3, message: 'HIHI' } })
      source.connection('PV1', 3)
      source.connect('PV1', 4)
      assert.deepEqual(
        sent('a', 'al00').map(({ severity }) => severity),
        [0, 2, 0]
      )
      assert.deepEqual(
        sent('a', 'ep01').map(({ connection }) => connection),
        [2, 3, 2]
      )
      assert.equal(sent('a', 'f144').length, 8)
    })

    it('can be chosen', async () => {
      const { source, run, sent } = await forwarder({ connection_schema: 'ep01', alarm_schema: 'none' })
      const own = { alarm_schema: 'al00', connection_schema: 'none' }
      await run('start', { streams: [stream('PV1', { converter: 'f144' }), stream('PV2', { topic: 'b', ...own })] })
      for (const name of ['PV1', 'PV2']) source.connect(name, 1)
      assert.deepEqual(
        sent('a')
          .map(({ id }) => id)
          .sort(),
        ['ep01', 'f144']
      )
      assert.deepEqual(
        sent('b')
          .map(({ id }) => id)
          .sort(),
        ['al00', 'f142']
      )
    })
  })

  describe('commands', () => {
    it('refuse what is wrong with path and reason, and do the rest', async () => {
      const { run, source } = await forwarder()
      const reply = await run('start', {
        streams: [
          stream('GOOD'),
          stream('P', { protocol: 'xy' }),
          stream('S', { converter: 'zz99' }),
          stream('T', { topic: 'nowhere' }),
          stream('K', { perodic_ms: 5 }),
          stream('O', { converter: { schema: 'f142', facter: 2 } }),
          stream('N', { topic: undefined }),
          { channel: 'C', topic: 'a' },
          stream('G', { source_options: { gian: 1 } }),
          stream('D', { converter: 'ev42' }),
          'text'
        ]
      })
      assert.deepEqual([reply.response, reply.status], ['ACK', 200])
      assert.deepEqual([reply.result.added, reply.result.refused], [1, 10])
      assert.deepEqual(where(reply).sort(), [
        'COMMAND_INVALID /streams/6/topic',
        'COMMAND_INVALID /streams/7/converter',
        'CONFIG_INVALID /streams/10',
        'CONFIG_INVALID /streams/4/perodic_ms',
        'CONFIG_INVALID /streams/5/converter/facter',
        'CONFIG_INVALID /streams/8/source_options/gian',
        'CONVERTER_UNKNOWN /streams',
        'CONVERTER_UNKNOWN /streams/2/converter',
        'SOURCE_UNKNOWN /streams/1/protocol',
        'TOPIC_MISSING /streams/3/topic'
      ])
      assert.deepEqual(source.opened, ['GOOD'])
    })

    it('answer ERR when nothing could be done', async () => {
      const { run } = await forwarder()
      const reply = await run('start', { streams: [stream('P', { protocol: 'xy' })] })
      assert.deepEqual([reply.response, reply.status], ['ERR', 400])
      const stop = await run('stop', { channels: ['NO*'] })
      assert.deepEqual([stop.response, where(stop)], ['ERR', ['COMMAND_INVALID /channels/0']])
    })

    it('start is idempotent and takes over changed settings', async () => {
      const { run, source } = await forwarder()
      await run('start', { streams: [stream('PV1')] })
      assert.equal((await run('start', { streams: [stream('PV1')] })).result.unchanged, 1)
      assert.equal((await run('start', { streams: [stream('PV1', { lossless: true })] })).result.changed, 1)
      assert.deepEqual(source.opened, ['PV1'])
    })

    it('stop refuses a pattern that names nothing, and does the others', async () => {
      const { run, service } = await forwarder()
      await run('start', { streams: [stream('PV1'), stream('PV2')] })
      const reply = await run('stop', { streams: [{}, { channel: 'PV2' }] })
      assert.deepEqual([reply.response, where(reply)], ['ACK', ['COMMAND_INVALID /streams/0']])
      assert.deepEqual([...service.board.specs.values()].map(({ channel }) => channel), ['PV1']) // prettier-ignore
    })

    it('stop takes patterns on channel and topic, and exact schema and protocol', async () => {
      const { run, service } = await forwarder()
      const names = ['IN:A:1', 'IN:A:2', 'IN:B:1', 'OUT:[x]']
      const fill = () =>
        run('start', {
          streams: names.flatMap((name) => [stream(name), stream(name, { converter: 'f144', topic: 'b' })])
        })
      const left = () => service.snapshot()['streams']
      await fill()
      assert.equal((await run('stop', { channels: ['IN:?:1'] })).result.removed, 4)
      assert.equal((await run('stop', { streams: [{ channel: '*', schema: 'f144', topic: '?' }] })).result.removed, 2)
      assert.equal((await run('stop', { channels: ['OUT:[x]'] })).result.removed, 1)
      assert.equal((await run('stop', { streams: [{ protocol: 'hand' }] })).result.removed, 1)
      assert.equal(left(), 0)
      assert.equal((await run('stop', { all: true })).response, 'ACK')
    })

    it('config is a diff: unchanged streams go on with their subscription', async () => {
      const { run, source, values, sent } = await forwarder()
      await run('config', { streams: [stream('PV1'), stream('PV2')] })
      source.connect('PV1', 1)
      source.connect('PV2', 1)
      const before = sent('a').length
      const reply = await run('config', { streams: [stream('PV1'), stream('PV3'), stream('PV2', { topic: 'b' })] })
      const { added, unchanged, removed } = reply.result
      assert.deepEqual([added, unchanged, removed], [2, 1, 2 - 1])
      assert.equal(sent('a').length, before, 'nothing is sent again for PV1')
      source.put('PV1', 2)
      source.put('PV2', 2)
      assert.deepEqual(
        [values('a'), values('b')],
        [
          [1, 1, 2],
          [1, 2]
        ]
      )
      assert.deepEqual(source.opened, ['PV1', 'PV2', 'PV3'], 'a stream that moves keeps the subscription')
      assert.equal((await run('config', { streams: [] })).result.removed, 3)
      assert.equal(source.open.size, 0)
    })

    it('config with nothing good in it changes nothing', async () => {
      const { run, source } = await forwarder()
      await run('start', { streams: [stream('PV1')] })
      const reply = await run('config', { streams: [stream('PV2', { converter: 'nono' })] })
      assert.equal(reply.response, 'ERR')
      assert.deepEqual([...source.open.keys()], ['PV1'])
    })
  })

  it('counts what Kafka refuses and what cannot be converted, and goes on', async () => {
    const { kafka, run, source, values, service, context } = await forwarder()
    kafka.failures.set('b', new Error('too large'))
    await run('start', { streams: [stream('PV1'), stream('PV2', { topic: 'b', connection_schema: 'none' })] })
    source.connect('PV1', 'broken')
    source.put('PV1', 'fine')
    source.connect('PV2', 1)
    source.put('PV2', 2)
    assert.deepEqual(values('a'), ['fine'])
    const { convert_errors: wrong, lost } = service.snapshot()
    assert.deepEqual([wrong, lost], [1, 2])
    assert.deepEqual(
      context.logs.filter(({ level }) => level !== 'info').map(({ level }) => level),
      ['warn', 'error']
    )
  })

  it('opens the streams of the config file and reports the wrong ones', async () => {
    const { source, context } = await forwarder({ streams: [stream('PV1'), stream('PV2', { converter: 'nono' })] })
    assert.deepEqual(source.opened, ['PV1'])
    assert.match(context.logs.find(({ level }) => level === 'warn')?.message ?? '', /streams\/1\/converter.*nono/)
  })

  it('shows channels with their state page by page', async () => {
    const f = await forwarder({ status_channels: 2 })
    await f.run('start', { streams: ['A1', 'A2', 'A3', 'B1'].map((name) => stream(name)) })
    f.source.connect('A1', 1, { alarm: { severity: 2, status: 3, message: 'HIHI' } })
    const pages = [f.service.snapshot(), f.service.snapshot(), f.service.snapshot()].map(
      (snapshot) => (snapshot['channels_page'] as { channels: { channel: string }[] }).channels
    )
    assert.deepEqual(
      pages.map((page) => page.map(({ channel }) => channel)),
      [
        ['A1', 'A2'],
        ['A3', 'B1'],
        ['A1', 'A2']
      ]
    )
    const snapshot = f.service.snapshot()
    assert.deepEqual([snapshot.state, snapshot['channels'], snapshot['connected']], ['forwarding', 4, 1])
    const { streams } = snapshot.heartbeat as { streams: unknown[] }
    assert.deepEqual(streams[0], {
      channel_name: 'A1',
      protocol: 'hand',
      output_topic: 'a',
      schema: 'f142',
      state: 'CONNECTED'
    })
    const { result } = await f.run('status', { channels: 'A*', page: 1, page_size: 2 })
    const {
      pages: count,
      total,
      channels
    } = result as unknown as { pages: number; total: number; channels: { channel: string }[] }
    assert.deepEqual([count, total, channels.map(({ channel }) => channel)], [2, 3, ['A3']])
    const one = (await f.run('status', { channels: 'A1' })).result as unknown as { channels: Record<string, unknown>[] }
    assert.deepEqual(
      [one.channels[0]?.['state'], one.channels[0]?.['severity'], one.channels[0]?.['updates']],
      ['CONNECTED', 2, 1]
    )
  })
})
