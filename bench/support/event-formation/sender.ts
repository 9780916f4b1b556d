// A process of its own that sends the packets of a case at a rate: `sender.js CASE PORT`, then by messages how many.
import { createSocket } from 'node:dgram'
import { benchCases, packetsOf } from './cases.js'

export interface SendOrder {
  readonly packets: number
  /** Per second; 0: as fast as it goes. */
  readonly rate: number
}

const [, , name = '', port = ''] = process.argv
const found = benchCases[name]
if (found === undefined) throw new Error(`no case ${name}`)
// As many packets of a pulse as come at 14 Hz
const list = await packetsOf(found, 3, Math.round(found.packetsPerSecond / 14))
const socket = createSocket('udp4')
let next = 0

/** Of what it could not send while it was held up itself it makes no burst beyond that: no electronics would. */
const LATE_MS = 10

/** In steps of a millisecond; the kernel's answer is waited for once in each. */
async function send({ packets, rate }: SendOrder): Promise<void> {
  let start = performance.now()
  for (let sent = 0; sent < packets;) {
    if (rate > 0) start = Math.max(start, performance.now() - LATE_MS - (sent * 1000) / rate)
    const due = rate === 0 ? Math.min(packets, sent + 32) : Math.min(packets, Math.floor(((performance.now() - start) * rate) / 1000)) // prettier-ignore
    for (; sent < due; sent++) {
      const packet = list[next++ % list.length]!
      if (sent < due - 1) socket.send(packet, Number(port), '127.0.0.1')
      else await new Promise((resolve) => socket.send(packet, Number(port), '127.0.0.1', resolve))
    }
    if (rate > 0) await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

process.on('message', (order: SendOrder) => void send(order).then(() => process.send?.('sent')))
process.on('disconnect', () => process.exit(0))
process.send?.('ready')
