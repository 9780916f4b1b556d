import assert from 'node:assert/strict'
import { encodeMessage } from '../../schemas/index.js'
import json from './json.js'

const decode = (text: string) => json.decode(Buffer.from(text))

describe('dialect json', () => {
  it('reads commands and ignores answers and status messages on the same topic', () => {
    assert.deepEqual(decode('{"cmd":"status","msg_id":"1"}'), { cmd: 'status', msg_id: '1' })
    assert.equal(decode('{"response":"ACK","msg_id":"1"}'), undefined)
    assert.equal(decode('{"type":"nexstream_status"}'), undefined)
    assert.equal(json.decode(encodeMessage('fc00', { config_change: 2 })), undefined, 'FlatBuffers are for others')
  })

  it('refuses everything else with a coded error', () => {
    for (const text of ['', '{', '[]', 'null', '"start"', '\u0000\u0001', '[['.repeat(10000)])
      assert.throws(() => decode(text), { code: 'COMMAND_JSON' }, text.slice(0, 20))
    assert.throws(() => decode('{"a":1}'), { code: 'COMMAND_INVALID', path: '/cmd' })
    assert.throws(() => decode('{"cmd":7}'), { code: 'COMMAND_INVALID', path: '/cmd' })
    assert.throws(() => decode(`{"cmd":"a","b":${'{"c":'.repeat(300)}1${'}'.repeat(300)}}`), { code: 'COMMAND_JSON' })
  })

  it('finds the msg_id in text that is no JSON, for the answer', () => {
    const idOf = (text: string): unknown => {
      try {
        return decode(text)
      } catch (error) {
        return (error as { fields?: { command?: unknown } }).fields?.command
      }
    }
    assert.deepEqual(idOf('{"cmd":"start","msg_id": "a\\"1", "x":'), { msg_id: 'a"1' })
    assert.deepEqual(idOf('{"cmd":"start","msg_id": 7, "x":'), {})
    assert.deepEqual(idOf('{"msg_id": "cut'), {})
  })

  it('does not count brackets inside strings', () => {
    assert.equal(decode(`{"cmd":"a","b":"${'['.repeat(1000)}\\"["}`)?.cmd, 'a')
  })

  it('answers with the words of the field', () => {
    const [message] = json.reply(
      { cmd: 'start', msg_id: 'm' },
      { response: 'ERR', status: 400, message: 'no', errors: [{ code: 'C', path: '/p', message: 'x' }] },
      'me'
    )
    const answer = JSON.parse(Buffer.from(message?.value ?? []).toString()) as Record<string, unknown>
    assert.deepEqual([answer['msg_id'], answer['response'], answer['message']], ['m', 'ERR', 'no'])
    assert.equal(decode(Buffer.from(message?.value ?? []).toString()), undefined)
  })
})
