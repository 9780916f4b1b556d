// The block server bridge: every change is told, nothing else; broken lists change nothing.
import assert from 'node:assert/strict'
import { deflateSync } from 'node:zlib'
import { check } from '../../core/check.js'
import { type ServicePart } from '../../core/api/plugin.js'
import { decodeJson, type Vector } from '../../schemas/index.js'
import { HandSource } from '../../test/support/forwarder/parts.js'
import { MemoryKafka } from '../../test/support/memory-kafka.js'
import { serviceContext } from '../../test/support/service-context.js'
import { decodeBlocks } from './blocks.js'
import { blockserver } from './service.js'

const channel = 'IN:LARMOR:CS:BLOCKSERVER:BLOCKNAMES'
const hex = (content: unknown): string => deflateSync(JSON.stringify(content)).toString('hex')
/** As a CHAR waveform holds it: padded with NUL. */
const chars = (text: string): Vector => {
  const bytes = Buffer.concat([Buffer.from(text), Buffer.alloc(16)])
  return { dtype: 'uint8', length: bytes.length, bytes }
}

async function start(options: Record<string, unknown> = {}) {
  const kafka = new MemoryKafka('forwarder_config')
  const source = new HandSource('ca')
  const context = serviceContext(kafka, { sources: [source.part] })
  const config = { prefix: 'IN:LARMOR:', data_topic: 'LARMOR_sampleEnv', ...options }
  const part: ServicePart = blockserver
  assert.deepEqual(check(part.config, config), [])
  const service = part.open(config, context)
  await service.start()
  const told = () =>
    kafka.messages('forwarder_config').map(({ value }) => {
      const { file_identifier: id, message } = decodeJson(value)
      const change = (message['config_change'] as { name: string }).name
      const streams = (
        message['streams'] as unknown as {
          channel: string
          topic: string
          schema: string
          protocol: { name: string }
        }[]
      ).map((stream) => `${stream.channel} ${stream.schema} ${stream.topic} ${stream.protocol.name}`)
      return [id, change, ...streams]
    })
  return { kafka, source, context, service, told }
}

const block = (name: string): string => `IN:LARMOR:CS:SB:${name} f144 LARMOR_sampleEnv CA`

describe('service-blockserver', () => {
  it('adds the blocks of the first list and tells later only what changed', async () => {
    const { source, told, service } = await start()
    source.connect(channel, chars(hex(['temp', 'field'])))
    source.put(channel, chars(hex(['field', 'temp'])))
    source.put(channel, chars(hex(['field', 'motor', 'motor'])))
    source.put(channel, chars(hex([])))
    assert.deepEqual(told(), [
      ['fc00', 'ADD', block('temp'), block('field')],
      ['fc00', 'REMOVE', block('temp')],
      ['fc00', 'ADD', block('motor')],
      ['fc00', 'REMOVE', block('field'), block('motor')]
    ])
    assert.deepEqual([service.snapshot().state, service.snapshot()['changes']], ['watching', 3])
    await service.stop('end')
    assert.equal(source.open.size, 0)
  })

  it('speaks rf5k and JSON', async () => {
    const old = await start({ dialect: 'rf5k', schema: 'f142' })
    old.source.connect(channel, hex(['temp']))
    assert.deepEqual(old.told(), [['rf5k', 'ADD', 'IN:LARMOR:CS:SB:temp f142 LARMOR_sampleEnv CA']])
    const json = await start({ dialect: 'json' })
    json.source.connect(channel, hex(['temp']))
    json.source.put(channel, hex([]))
    const stream = { channel: 'IN:LARMOR:CS:SB:temp', topic: 'LARMOR_sampleEnv' }
    assert.deepEqual(
      json.kafka.messages('forwarder_config').map(({ value }) => JSON.parse(String(value)) as unknown),
      [
        { cmd: 'start', service: 'forwarder', streams: [{ ...stream, protocol: 'ca', converter: 'f144' }] },
        { cmd: 'stop', service: 'forwarder', streams: [{ ...stream, schema: 'f144' }] }
      ]
    )
  })

  it('adds the run log values once at the start when it has a topic for them', async () => {
    const { told } = await start({ run_log_topic: 'LARMOR_runLog' })
    const [first] = told()
    assert.equal(first?.length, 2 + 11)
    assert.equal(first?.[2], 'IN:LARMOR:DAE:COUNTRATE f144 LARMOR_runLog CA')
  })

  it('sends the whole list where asked, the first one in any case', async () => {
    const { source, told } = await start({ whole: true, run_log_topic: 'LARMOR_runLog', run_log_channels: ['PERIOD'] })
    const period = 'IN:LARMOR:DAE:PERIOD f144 LARMOR_runLog CA'
    for (const blocks of [[], [], ['temp'], ['temp', 'field']]) source.put(channel, chars(hex(blocks)))
    assert.deepEqual(told(), [
      ['fc00', 'REPLACE', period],
      ['fc00', 'REPLACE', period, block('temp')],
      ['fc00', 'REPLACE', period, block('temp'), block('field')]
    ])
    const json = await start({ whole: true, dialect: 'json' })
    json.source.connect(channel, hex(['temp']))
    const [command] = json.kafka.messages('forwarder_config').map(({ value }) => JSON.parse(String(value)) as { cmd: string }) // prettier-ignore
    assert.equal(command?.cmd, 'config')
    await assert.rejects(start({ whole: true, dialect: 'rf5k' }), { code: 'CONFIG_INVALID' })
  })

  it('changes nothing for a broken value, reports it once and goes on', async () => {
    const { source, told, service, context } = await start()
    source.connect(channel, chars(hex(['temp'])))
    const bomb = deflateSync(Buffer.alloc(64 * 1024 * 1024, 0x20)).toString('hex')
    const bad = [
      '',
      'xyz',
      'abc',
      '00',
      hex({ a: 1 }),
      hex([1]),
      hex(['a b']),
      hex(['*']),
      deflateSync('[').toString('hex'),
      bomb
    ]
    for (const text of bad) {
      assert.throws(() => decodeBlocks(text), { code: 'MESSAGE_BAD' }, text.slice(0, 20))
      source.put(channel, chars(text))
      source.put(channel, chars(text))
    }
    source.put(channel, 17)
    assert.equal(told().length, 1)
    assert.equal(service.snapshot()['broken'], 2 * bad.length + 1)
    assert.match(String(service.snapshot()['last_error']), /no text/)
    assert.ok(context.logs.filter(({ level }) => level === 'warn').length <= bad.length + 1)
    source.put(channel, chars(hex(['temp', 'field'])))
    assert.deepEqual(told().at(-1), ['fc00', 'ADD', block('field')])
    assert.equal(service.snapshot()['last_error'], undefined)
  })

  it('needs its source and its topic', async () => {
    await assert.rejects(start({ source: 'nono' }), { code: 'SOURCE_UNKNOWN' })
    await assert.rejects(start({ config_topic: 'absent' }), { code: 'TOPIC_MISSING' })
  })
})
