import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { kernelState, kernelStateIn } from './kernel.js'

const head =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops'
const line = (address: string, waiting: string, drops: number): string =>
  `  12: ${address} 00000000:0000 07 00000000:${waiting} 00:00000000 00000000  1000        0 4711 2 0000000000000000 ${drops} `

describe('what the kernel tells of a UDP socket', () => {
  it('is found by address and port', () => {
    const table = [head, line('0100007F:2328', '00000900', 7), line('00000000:2328', '00000000', 3), ''].join('\n')
    assert.deepEqual(kernelStateIn(table, '127.0.0.1', 9000), { waiting: 0x900, drops: 7 })
    assert.deepEqual(kernelStateIn(table, '0.0.0.0', 9000), { waiting: 0, drops: 3 })
    assert.equal(kernelStateIn(table, '127.0.0.1', 9001), undefined)
  })

  it('is found by an IPv6 address, too', () => {
    const all = '00000000000000000000000000000000'
    const [local, group] = ['B80D0120000000000000000001000000', '000015FF000000000000000034120000']
    const table = [head, line(`${all}:2328`, '00000000', 1), line(`${local}:2328`, '00000010', 2), line(`${group}:2328`, '00000000', 4)].join('\n') // prettier-ignore
    assert.deepEqual(kernelStateIn(table, '::', 9000), { waiting: 0, drops: 1 })
    assert.deepEqual(kernelStateIn(table, '2001:db8::1', 9000), { waiting: 16, drops: 2 })
    assert.deepEqual(kernelStateIn(table, 'ff15::1234%eth0', 9000), { waiting: 0, drops: 4 })
    assert.equal(kernelStateIn(table, 'ff15::3412', 9000), undefined)
    const mapped = `0000000000000000FFFF00000100007F:2328`
    assert.deepEqual(kernelStateIn(line(mapped, '00000000', 9), '::ffff:127.0.0.1', 9000), { waiting: 0, drops: 9 })
  })

  it('counts what it dropped', async function () {
    if (process.platform !== 'linux') this.skip()
    const [socket, sender] = [createSocket('udp4'), createSocket('udp4')]
    try {
      socket.bind(0, '127.0.0.1')
      await once(socket, 'listening')
      socket.setRecvBufferSize(4096)
      const { port } = socket.address()
      assert.deepEqual(kernelState('127.0.0.1', port), { waiting: 0, drops: 0 })
      // Nobody reads meanwhile: sending is done in this thread, and so would be reading
      const packet = Buffer.alloc(2000)
      for (let i = 0; i < 100; i++) sender.send(packet, port, '127.0.0.1')
      await new Promise((resolve) => sender.send(packet, port, '127.0.0.1', resolve))
      assert.ok((kernelState('127.0.0.1', port)?.drops ?? 0) > 0)
    } finally {
      socket.close()
      sender.close()
    }
  })
})
