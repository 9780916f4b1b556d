// The template of a converter for strangers: loaded by its path, there and back, and safe from damaged messages.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { loadPlugins } from '../../core/loader.js'
import { codeRoot } from '../../core/root.js'
import { schemaId, type LogRecord, type Converter, type ConverterPart } from '../../schemas/index.js'
import { damaged } from '../hostile/damage.js'
import { update } from '../support/converters.js'

describe('examples/plugins/converter-rd00', () => {
  let converter: Converter<LogRecord>
  let close: () => Promise<void>
  before(async () => {
    const use = join(codeRoot, 'examples/plugins/converter-rd00/index.js')
    const loaded = await loadPlugins({ plugins: [{ use }], builtin: [], baseFolder: '.' })
    close = () => loaded.close()
    const context = { jobId: 'test', signal: new AbortController().signal, log: () => {}, count: () => {} }
    const part = loaded.host.part('converter', 'rd00') as ConverterPart
    converter = part.open({ factor: 2 }, context) as Converter<LogRecord>
  })
  after(() => close())

  const sent = (value: number): Buffer => Buffer.from(converter.convert!(update({ value }))[0]!.value)

  it('sends updates and reads them, wherever they lie in memory', () => {
    const message = Buffer.concat([Buffer.alloc(5), sent(1.5)]).subarray(5)
    assert.equal(schemaId(message), 'rd00')
    const record = { source: 'SIM:PV', timestampNs: 1_700_000_000_123_456_789n, dtype: 'float64', value: 3 } as const
    assert.deepEqual(converter.decode!(message), record)
    assert.deepEqual(converter.decode!(Buffer.from(converter.encode!(record))), record)
    const peek = { sourceStart: 0, sourceEnd: 0, timestampNs: 0n }
    converter.peek(message, peek)
    assert.equal(message.toString('utf8', peek.sourceStart, peek.sourceEnd), 'SIM:PV')
    assert.equal(peek.timestampNs, record.timestampNs)
    assert.throws(() => converter.convert!(update({ value: 'text', dtype: 'string' })), { reason: 'unsupported_type' })
  })

  it('takes damaged messages or refuses them as such, and reads nothing beside them', () => {
    const peek = { sourceStart: 0, sourceEnd: 0, timestampNs: 0n }
    const outcome = (message: Buffer): string => {
      try {
        converter.peek(message, peek)
        assert.ok(peek.sourceEnd <= message.length)
        const { source, timestampNs, value } = converter.decode!(message)
        return `${source} ${timestampNs} ${Number(value)}`
      } catch (error) {
        return (error as { reason?: string }).reason ?? assert.fail(error as Error)
      }
    }
    for (const bad of damaged(sent(1.5))) {
      const around = Buffer.concat([Buffer.alloc(40, 0xff), bad, Buffer.alloc(40, 0xff)])
      assert.equal(outcome(around.subarray(40, 40 + bad.length)), outcome(Buffer.from(bad)), bad.toString('hex'))
    }
  })
})
