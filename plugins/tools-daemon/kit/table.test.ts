import assert from 'node:assert/strict'
import { Screen, table } from './table.js'

describe('cli: table', () => {
  const job = '5c1e8b5e-0b0f-4b39-9d4c-2f5b7a1c9e11'
  const progress = 'phase=writing written=123456 file_bytes=1.2 MB'
  const rows = [
    ['job', 'service', 'state', 'time', 'progress', 'message'],
    [job, 'filewriter', '\x1b[32mrunning\x1b[39m', '0:01:07', progress, `writing ${'/data'.repeat(30)}`]
  ]
  const terminal = { bold: (text: string) => text }
  const plain = (text: string): string[] => text.replaceAll(/\x1b\[\d+m/g, '').split('\n')

  for (const most of [80, 120])
    it(`fits ${most} columns, short cells whole, and each column with its beginning`, () => {
      const [heading, line] = plain(table(terminal, rows, most)) as [string, string]
      for (const text of [heading, line]) assert.ok(text.length <= most, text)
      assert.match(heading, /^job +service +state +time +progress +message/)
      assert.match(line, / filewriter +running +0:01:07 +phase=writing/)
      assert.match(line, /^5c1e8b5e.*… +filewriter/)
    })

  it('leaves out the last columns when there is no room for all', () => {
    const lines = plain(table(terminal, rows, 20))
    for (const text of lines) assert.ok(text.length <= 20, text)
    assert.match(lines[1]!, /^5c1e8…/)
  })

  it('is whole for a script', () => assert.match(plain(table(terminal, rows, Infinity))[1]!, /\/data$/))
})

describe('cli: screen', () => {
  it('does not let lines wrap, so that the next paint begins where this one did', () => {
    const { stdout } = process
    const before = { isTTY: stdout.isTTY, rows: stdout.rows, write: stdout.write.bind(stdout) }
    const written: string[] = []
    try {
      Object.assign(stdout, { isTTY: true, rows: 10, write: (text: string) => written.push(text) > 0 })
      const screen = new Screen()
      screen.paint('a line that is wider than the terminal\nb')
      screen.paint('c')
    } finally {
      Object.assign(stdout, before)
    }
    const [first, second] = written
    assert.ok(first!.startsWith('\x1b[?7l') && first!.endsWith('\x1b[?7h'), JSON.stringify(first))
    assert.ok(second!.startsWith('\x1b[?7l\x1b[2A'), JSON.stringify(second))
  })
})
