import assert from 'node:assert/strict'
import { Screen } from './io.js'

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
