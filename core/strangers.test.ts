import assert from 'node:assert/strict'
import { Strangers } from './strangers.js'

describe('messages that are no commands', () => {
  const flat = (id: string): Buffer => Buffer.concat([Buffer.of(16, 0, 0, 0), Buffer.from(id), Buffer.alloc(20)])
  const told: string[] = []
  let strangers: Strangers
  let offset = 0
  const note = (value: Buffer | string, nowMs = 0): void =>
    strangers.note({ topic: 'cmd', partition: 1, offset: offset++, value: Buffer.from(value) }, ['fc00', 'json'], nowMs)

  beforeEach(() => {
    told.length = offset = 0
    strangers = new Strangers((level, text, fields) => told.push(`${level} ${text} ${String(fields?.['kind'])}`))
  })

  it('are counted by kind; what nexstream says itself is none', () => {
    assert.equal(strangers.counts(), undefined)
    for (const value of ['', '', '{"a":1}', '[1]', '{', 'x', flat('ev44'), '{"type":"nexstream_status"}', '{"type":"x"}', 'null']) note(value) // prettier-ignore
    note(Buffer.from([255, 254, 253, 252, 65, 66, 67, 68, 0]))
    assert.deepEqual(strangers.counts(), { empty: 2, json: 4, bytes: 3, ev44: 1 })
  })

  it('are told once for each kind and minute, with how many there were meanwhile', () => {
    note('')
    note('{}', 1)
    for (let i = 0; i < 5; i++) note('', 59_000)
    note('', 60_000)
    assert.deepEqual(told, [
      'warn offset 0 of cmd/1 (empty) is no command in fc00, json; passed over empty',
      'warn offset 1 of cmd/1 (JSON) is no command in fc00, json; passed over json',
      'warn offset 7 of cmd/1 (empty) is no command in fc00, json; passed over, as 5 more of this kind since the last word empty'
    ])
  })

  it('are no reason to look where daemons answer', () => {
    note(flat('answ'))
    note(flat('ev44'))
    assert.deepEqual(told.map((line) => line.split(' ')[0]), ['debug', 'warn']) // prettier-ignore
    assert.deepEqual(strangers.counts(), { answ: 1, ev44: 1 })
  })

  it('of many kinds are one kind more in the end', () => {
    for (let i = 1000; i < 1200; i++) note(flat(String(i)))
    const counts = strangers.counts() ?? {}
    assert.equal(Object.keys(counts).length, 51)
    assert.equal(counts['other'], 150)
  })
})
