import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { freePorts } from '../../../test/support/ports.js'
import { UdpReceiver } from './receiver.js'

describe('the receiver of packets', () => {
  it('tells what the kernel dropped also where it was given a name', async function () {
    if (process.platform !== 'linux') this.skip()
    const [port = 0] = await freePorts(1)
    const sender = createSocket('udp4')
    let taken = 0
    const receiver = await UdpReceiver.open(
      { host: 'localhost', port, bufferBytes: 65_536 },
      () => taken++,
      assert.fail
    )
    try {
      // Nobody reads meanwhile: sending is done in this thread, and so would be reading
      const packet = Buffer.alloc(8000)
      for (let i = 0; i < 199; i++) sender.send(packet, port, '127.0.0.1')
      await new Promise((resolve) => sender.send(packet, port, '127.0.0.1', resolve))
    } finally {
      await receiver.close()
      sender.close()
    }
    assert.ok(receiver.drops() > 0)
    assert.equal(taken + receiver.drops(), 200)
  })
})
