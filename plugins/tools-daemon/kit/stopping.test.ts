// Tests of stopping in good order.
import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { untilStopped } from './stopping.js'

describe('a tool until it is stopped', () => {
  it('hears a signal until all have heard it, and then gives the signals back', async () => {
    const before = process.listenerCount('SIGHUP')
    const stop = untilStopped()
    let listening = 0
    // As signal-exit asks whether it may kill the process
    const count = (): number => (listening = process.listenerCount('SIGHUP'))
    process.on('SIGHUP', count)
    try {
      process.kill(process.pid, 'SIGHUP')
      await stop.ended
      assert.equal(stop.signal.aborted, true)
      assert.equal(listening, before + 2)
      await turn()
      assert.equal(process.listenerCount('SIGHUP'), before + 1)
    } finally {
      process.removeListener('SIGHUP', count)
      stop.done()
    }
  })
})
