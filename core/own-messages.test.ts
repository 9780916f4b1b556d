import assert from 'node:assert/strict'
import { OwnMessages } from './own-messages.js'

describe('own messages', () => {
  it('are known once, on their topic only', () => {
    const own = new OwnMessages()
    own.note('status', Buffer.from('a'))
    assert.equal(own.isOwn('commands', Buffer.from('a')), false)
    assert.equal(own.isOwn('status', Buffer.from('a')), true)
    assert.equal(own.isOwn('status', Buffer.from('a')), false)
  })

  it('are forgotten, the oldest first, when they never come', () => {
    const own = new OwnMessages()
    for (let n = 0; n <= 10_000; n++) own.note('status', Buffer.from(String(n)))
    assert.equal(own.isOwn('status', Buffer.from('0')), false)
    assert.equal(own.isOwn('status', Buffer.from('1')), true)
  })
})
