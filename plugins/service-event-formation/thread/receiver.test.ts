import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import { freePorts } from '../../tools-dev/fetched/ports.js'
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

  it('joins a group of IPv6', async function () {
    const isOutward = ({ family, internal }: NetworkInterfaceInfo): boolean => family === 'IPv6' && !internal
    const [name] = Object.entries(networkInterfaces()).find(([, all]) => all?.some(isOutward)) ?? []
    if (name === undefined) this.skip()
    const [port = 0] = await freePorts(1)
    // Of this machine only
    const host = `ff11::6e78%${name}`
    const sender = createSocket('udp6')
    let receiver: UdpReceiver | undefined
    try {
      const came = new Promise<Buffer>((resolve, reject) => {
        const opening = UdpReceiver.open({ host, port, bufferBytes: 65_536 }, resolve, reject)
        opening.then((opened) => {
          receiver = opened
          sender.bind(0, '::', () => {
            sender.setMulticastInterface(`::%${name}`)
            sender.send('to all', port, host)
          })
        }, reject)
      })
      assert.equal(String(await came), 'to all')
    } finally {
      await receiver?.close()
      sender.close()
    }
  })
})
