import assert from 'node:assert/strict'
import { type LogLine } from '../../core/api/plugin.js'
import { syslogLine } from './index.js'

const line: LogLine = { level: 'info', message: 'service forwarder started', timeMs: 0, service_id: 'a', fields: {} }

describe('log-syslog', () => {
  it('writes priority, name, level, message', () => {
    assert.deepEqual(
      (['error', 'warn', 'info', 'debug'] as const).map((level) => syslogLine({ ...line, level }, 'nexstream')),
      [
        '<3>nexstream: ERROR service forwarder started\n',
        '<4>nexstream: WARNING service forwarder started\n',
        '<6>nexstream: INFO service forwarder started\n',
        '<7>nexstream: DEBUG service forwarder started\n'
      ]
    )
  })

  it('keeps one line an event, fields and traces as JSON behind it', () => {
    const fields = { job_id: 'a', n: 2n ** 60n, absent: undefined, stack: 'Error: x\n    at y' }
    assert.equal(
      syslogLine({ ...line, level: 'error', message: 'bad\n<0>forged: EMERG', fields }, 'w1'),
      '<3>w1: ERROR bad\\x0a<0>forged: EMERG {"job_id":"a","n":"1152921504606846976","stack":"Error: x\\n    at y"}\n'
    )
  })
})
