import assert from 'node:assert/strict'
import { check } from './check.js'
import { nearest } from './api/nearest.js'
import { type JSONSchema } from './api/plugin.js'

const schema = {
  type: 'object',
  additionalProperties: false,
  required: ['topic'],
  properties: {
    topic: { type: 'string' },
    size: { type: 'integer', default: 3, minimum: 1 },
    mode: { enum: ['a', 'b'] }
  }
} as const satisfies JSONSchema

describe('check', () => {
  it('fills in defaults and finds nothing wrong', () => {
    const value: Record<string, unknown> = { topic: 't' }
    assert.deepEqual(check(schema, value), [])
    assert.equal(value['size'], 3)
  })

  it('names the path of every finding and the word that was meant', () => {
    const findings = check(schema, { topik: 't', size: 0, mode: 'c' }, '/streams/2')
    assert.deepEqual(findings.map((finding) => finding.path).toSorted(), [
      '/streams/2/mode',
      '/streams/2/size',
      '/streams/2/topic',
      '/streams/2/topik'
    ])
    assert.match(findings.find((finding) => finding.path.endsWith('topik'))?.message ?? '', /did you mean 'topic'/)
    assert.match(findings.find((finding) => finding.path.endsWith('mode'))?.message ?? '', /"a", "b"/)
  })

  it('refuses prototype keys as unknown ones', () => {
    const value: unknown = JSON.parse('{"topic":"t","__proto__":{"polluted":true}}')
    assert.deepEqual(
      check(schema, value).map((finding) => finding.path),
      ['/__proto__']
    )
    assert.equal(({} as { polluted?: boolean }).polluted, undefined)
  })

  it('says what a choice allows, once', () => {
    const time = { anyOf: [{ type: 'integer' }, { type: 'string', format: 'date-time' }] } as const
    const choice = {
      type: 'object',
      properties: { time, all: {}, one: {} },
      anyOf: [{ required: ['all'] }, { required: ['one'] }]
    } as const
    assert.deepEqual(check(choice, { time: true }), [
      { code: 'CONFIG_INVALID', path: '/', message: 'needs one of all, one' },
      { code: 'CONFIG_INVALID', path: '/time', message: 'must be integer or string (date-time)' }
    ])
  })

  it('finds near words only', () => {
    assert.equal(nearest('sttop', ['start', 'stop']), 'stop')
    assert.equal(nearest('banana', ['start', 'stop']), undefined)
  })
})
