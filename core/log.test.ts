import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LogLine } from './api/plugin.js'
import { openLog } from './log.js'

describe('log', () => {
  let folder: string
  before(() => (folder = mkdtempSync(join(tmpdir(), 'nexstream-log-'))))
  after(() => rmSync(folder, { recursive: true }))

  const nasty = 'a\nERROR forged\r\u001b[2J\u009b1m\u2028\u202eb'
  async function lines(format: 'text' | 'json', write: (log: ReturnType<typeof openLog>) => void): Promise<string[]> {
    const file = join(folder, `${format}.log`)
    rmSync(file, { force: true })
    // Errors only: the console of the tests stays quiet
    const logger = openLog({ level: 'error', format, file }, 'me')
    const print = process.stderr.write.bind(process.stderr)
    process.stderr.write = () => true
    try {
      write(logger)
      await logger.close()
      logger.log('error', 'too late') // Not thrown
    } finally {
      process.stderr.write = print
    }
    return readFileSync(file, 'utf8').split('\n').slice(0, -1)
  }

  it('writes one line an event, whatever is in message and fields', async () => {
    const [text, more] = await lines('text', ({ log }) => log('error', nasty, { channel: nasty, n: 2n ** 60n }))
    assert.equal(more, undefined)
    assert.match(text!, /ERROR a\\x0aERROR forged\\x0d\\x1b\[2J\\x9b1m\\u2028\\u202eb \(channel=a\\x0aERROR/)
    const [json, none] = await lines('json', ({ log }) => log('error', nasty, { channel: nasty, n: 2n ** 60n }))
    assert.equal(none, undefined)
    assert.doesNotMatch(json!, /[\p{Cc}\u2028\u202e]/u)
    const parsed = JSON.parse(json!) as Record<string, unknown>
    assert.deepEqual([parsed['message'], parsed['channel'], parsed['n']], [nasty, nasty, String(2n ** 60n)])
  })

  it('keeps time, level, message and service id of the line, whatever the fields are called', async () => {
    const fields = { timestamp: '1990', level: 'info', message: 'other', service_id: 'you' }
    const [json] = await lines('json', (logger) => logger.with({ service_id: 'they' })('error', 'mine', fields))
    const parsed = JSON.parse(json!) as Record<string, string>
    assert.deepEqual([parsed['level'], parsed['message'], parsed['service_id']], ['error', 'mine', 'me'])
    assert.ok(Date.parse(parsed['timestamp']!) > Date.parse('2020-01-01'))
    assert.deepEqual([parsed['timestamp_'], parsed['message_'], parsed['service_id_']], ['1990', 'other', 'you'])
    const [text] = await lines('text', ({ log }) => log('error', 'mine', fields))
    assert.match(text!, /^20\S+ ERROR mine \(timestamp_=1990 level_=info message_=other service_id_=you\)$/)
  })

  it('is heard by others, without secrets; who fails at it does not hear of that', async () => {
    const heard: LogLine[] = []
    const [, text] = await lines('text', (logger) => {
      logger.hear = (line) => {
        heard.push(line)
        logger.log('error', 'no room')
        return line
      }
      logger.log('error', 'mine', { password: 'x', sasl: { token: 'y', user: 'me' } })
    })
    assert.match(text!, /\(password=\*\*\* sasl=\{"token":"\*\*\*","user":"me"\}\)$/)
    assert.deepEqual(
      heard.map(({ timeMs: _timeMs, ...line }) => line),
      [{ level: 'error', message: 'mine', service_id: 'me', fields: { password: '***', sasl: { token: '***', user: 'me' } } }] // prettier-ignore
    )
  })

  it('changes its level while it runs', async () => {
    const told = await lines('text', (logger) => {
      logger.log('warn', 'not yet')
      logger.level = 'warn'
      logger.log('warn', 'now')
    })
    assert.deepEqual(told.map((line) => line.slice(25)), ['WARN  now']) // prettier-ignore
  })
})
