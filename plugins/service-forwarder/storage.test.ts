// The kept list: restored with every option, in both forms, from behind junk.
import assert from 'node:assert/strict'
import { check } from '../../core/check.js'
import { decodeJson, encodeMessage } from '../../schemas/index.js'
import { MemoryKafka } from '../../test/support/memory-kafka.js'
import { serviceContext } from '../../test/support/service-context.js'
import { optionSchema, type ForwarderOptions } from './options.js'
import { Forwarder } from './service.js'
import { type Spec } from './spec.js'
import { decodeList, encodeFc00 } from './storage.js'
import { forwarder, running, stopAll, stream } from '../../test/support/forwarder/forwarder.js'
import { HandSource, testConverters } from '../../test/support/forwarder/parts.js'

describe('service-forwarder: storage', () => {
  afterEach(async () => {
    await stopAll()
  })

  describe('the kept list', () => {
    const keeping = { storage_topic: 'keep' }
    const streams = [
      stream('PV1', { periodic_ms: 500, lossless: true, source_name: 'one' }),
      { channel: 'PV2', topic: 'b', converters: ['f144', { schema: 'f142', name: 'mine', factor: 3 }] }
    ]

    it('comes back after a restart, with every option', async () => {
      const kafka = new MemoryKafka('a', 'b', 'keep')
      const first = await forwarder(keeping, kafka)
      assert.equal((await first.run('start', { streams })).result.kept, true)
      await first.run('start', { streams })
      assert.equal(kafka.messages('keep').length, 1, 'one message a change')
      kafka.append({ topic: 'keep', value: 'junk' })
      kafka.append({ topic: 'keep', value: null })
      const second = await forwarder(keeping, kafka)
      assert.deepEqual(second.source.opened, ['PV1', 'PV2'])
      assert.deepEqual((await second.run('config', { streams })).result.unchanged, 3)
      second.source.connect('PV2', 2)
      assert.deepEqual(second.values('b'), [6])
    })

    it('is restored from behind any amount of junk, or not when told so', async () => {
      const kafka = new MemoryKafka('a', 'b', 'keep')
      await (await forwarder(keeping, kafka)).run('start', { streams })
      for (let i = 0; i < 300; i++) kafka.append({ topic: 'keep', value: '{}' })
      assert.equal((await forwarder(keeping, kafka)).source.opened.length, 2)
      assert.equal((await forwarder({ ...keeping, skip_restore: true }, kafka)).source.opened.length, 0)
    })

    it('is whole after every kind of change, empty when all is stopped', async () => {
      const kafka = new MemoryKafka('a', 'b', 'keep')
      const { run } = await forwarder(keeping, kafka)
      await run('start', { streams })
      await run('stop', { channels: ['PV1'] })
      await run('stop', { all: true })
      const sizes = kafka
        .messages('keep')
        .map(({ value }) => (JSON.parse(String(value)) as { streams: unknown[] }).streams.length)
      assert.deepEqual(sizes, [3, 2, 0])
      assert.equal((await forwarder(keeping, kafka)).source.opened.length, 0)
    })

    it('can be kept as fc00 and restores what the older forwarder kept', async () => {
      const kafka = new MemoryKafka('a', 'b', 'keep')
      const { run } = await forwarder({ ...keeping, storage_format: 'fc00' }, kafka)
      await run('start', { streams: [stream('PV1', { periodic_ms: 500 })] })
      const wire = decodeJson(kafka.messages('keep')[0]!.value)
      assert.equal(wire.file_identifier, 'fc00')
      const [kept] = wire.message['streams'] as Record<string, unknown>[]
      assert.deepEqual(
        [kept?.['channel'], kept?.['schema'], kept?.['topic'], kept?.['periodic']],
        ['PV1', 'f142', 'a', 1]
      )
      const source = new HandSource('pva')
      const context = serviceContext(kafka, { sources: [source.part], converters: testConverters().parts })
      const options = { ...keeping } as Record<string, unknown>
      check(optionSchema, options)
      const fields = { channel: 'OLD', schema: 'f144', topic: 'b', protocol: 0, periodic: 0 }
      kafka.append({ topic: 'keep', value: encodeMessage('fc00', { config_change: 0, streams: [fields] }) })
      const service = new Forwarder(context, options as unknown as ForwarderOptions)
      running.push(service)
      await service.start()
      assert.deepEqual(source.opened, ['OLD'])
    })

    it('knows the schema names of the older forwarder, and the lists of its older versions', () => {
      const kafka = new MemoryKafka('a', 'b', 'keep')
      const fields = { channel: 'CHOPPER', schema: 'nttable_senv', topic: 'b', protocol: 1 }
      kafka.append({ topic: 'keep', value: encodeMessage('rf5k', { config_change: 0, streams: [fields] }) })
      const [stored] = decodeList(kafka.messages('keep')[0]!.value).streams
      assert.deepEqual(stored, { channel: 'CHOPPER', topic: 'b', converter: 'senv', protocol: 'ca' })
      const parser = { ...stream('CHOPPER'), schema: 'senv', protocol: 'pva', periodicMs: 0 } as unknown as Spec
      const [kept] = decodeJson(encodeFc00([parser])).message['streams'] as Record<string, unknown>[]
      assert.equal(kept?.['schema'], 'nttable_senv')
    })

    it('needs its topic', async () => {
      await assert.rejects(forwarder({ storage_topic: 'absent' }), { code: 'TOPIC_MISSING' })
      running.length = 0
    })
  })
})
