// `nexstream logs` of a real daemon: the last lines, those of a level or since a moment, what comes, and a file that another takes the place of.
import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kafka, testTopics } from '../support/kafka.js'
import { nexstream, start } from './child.js'

describe('nexstream logs', function () {
  this.timeout(180_000)
  let folder: string
  before(() => (folder = mkdtempSync(join(tmpdir(), 'nexstream-logs-'))))
  after(() => rmSync(folder, { recursive: true }))
  const lines = async (...args: string[]): Promise<string[]> => {
    const { code, stdout, stderr } = await nexstream(['logs', ...args])
    assert.equal(code, 0, stderr)
    return stdout.split('\n').slice(0, -1)
  }

  for (const format of ['text', 'json'])
    it(`of a daemon that logs ${format} into a file`, async () => {
      const brokers = (await kafka()).brokers.join(',')
      const { status } = await testTopics(['status'])
      const file = join(folder, `${format}.log`)
      const config = join(folder, `${format}.toml`)
      writeFileSync(config, `kafka = { brokers = [${JSON.stringify(brokers)}] }\nstatus = { topic = "${status}" }\nlog = { file = "${file}", format = "${format}" }\n`) // prettier-ignore
      const daemon = start(['run', config])
      try {
        await daemon.says(/is up as/)
        const all = await lines('--config', config)
        assert.deepEqual([/connects to Kafka/.test(all[0] ?? ''), /is up as/.test(all.at(-1) ?? '')], [true, true])
        assert.deepEqual(await lines('--config', config, '-n', '1'), all.slice(-1))
        assert.match((await lines(file, '--level', 'warn')).join('\n'), /^[^\n]*no service is configured[^\n]*$/)
        assert.deepEqual(await lines(file, '--level', 'error'), [])
        assert.deepEqual(await lines(file, '--from', '-10min'), all)
        assert.deepEqual(await lines(file, '--from', '+1h'), [])
        const following = start(['logs', file, '-f', '-n', '1'])
        await following.says(/is up as/, 'stdout')
        daemon.kill('SIGTERM')
        await following.says(/stopping: SIGTERM[^]*stopped/, 'stdout')
        following.kill('SIGINT')
        assert.equal((await following.ended).code, 0)
      } finally {
        await daemon.close()
      }
    })

  it('goes on in the file that takes the place of a full one, and keeps what belongs to a line with it', async () => {
    const file = join(folder, 'full.log')
    const line = (word: string, level = 'INFO '): string => `2026-11-21T10:00:00.000Z ${level} ${word}\n`
    writeFileSync(file, line('one') + line('bad', 'ERROR') + '    at somewhere\n' + line('two'))
    assert.deepEqual((await lines(file, '--level', 'error')).map((one) => one.trim().split(' ').at(-1)), ['bad', 'somewhere']) // prettier-ignore
    const following = start(['logs', file, '-f', '-n', '1'])
    await following.says(/two/, 'stdout')
    appendFileSync(file, line('three'))
    renameSync(file, `${file}.1`)
    writeFileSync(file, line('four'))
    await following.says(/three[^]*four/, 'stdout')
    following.kill('SIGINT')
    assert.equal((await following.ended).code, 0)
  })

  it('says what it needs', async () => {
    const said = async (...args: string[]): Promise<string> => (await nexstream(['logs', ...args])).stderr
    assert.match(await said(join(folder, 'none.log')), /^FILE_READ: \S+none\.log cannot be read: ENOENT/)
    assert.match(await said('--level', 'loud'), /^CLI_USAGE: --level loud: must be one of error, warn, info, debug/)
    // Also where there is no journal
    assert.match(await said('--unit', 'no-such-unit'), /journal .*of the unit no-such-unit\b.*name the file/)
    assert.match(await said('--unit', 'no-such-unit', '--last', 'x'), /^CLI_USAGE: --last: 'x' is no whole number/)
  })
})
