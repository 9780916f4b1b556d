// Entry of the thread that only receives: from the socket into the ring.
import { parentPort, workerData } from 'node:worker_threads'
import { CodedError, errorText } from '../../../core/api/plugin.js'
import { type FromReceiving, type ReceivingData, type ToReceiving } from './ring-source.js'
import { RingWriter } from './ring.js'
import { UdpReceiver } from './receiver.js'

const KERNEL_MS = 500

const port = parentPort
if (port === null) throw new Error('this is the entry of a worker thread')
const say = (message: FromReceiving): void => port.postMessage(message)
const { ring, ...address } = workerData as ReceivingData
const writer = new RingWriter(ring)

try {
  const receiver = await UdpReceiver.open(
    address,
    (packet) => writer.put(packet),
    (error) => say({ type: 'failed', message: error.message })
  )
  const timer = setInterval(() => writer.kernelDrops(receiver.drops()), KERNEL_MS)
  port.on('message', (message: ToReceiving) => {
    if (message !== 'close') return
    clearInterval(timer)
    void receiver.close().then(() => {
      writer.kernelDrops(receiver.drops())
      say({ type: 'closed' })
      port.close()
    })
  })
  say({ type: 'open', bufferBytes: receiver.bufferBytes })
} catch (error) {
  const { code, path } = error instanceof CodedError ? error : { code: 'COMMAND_FAILED' as const, path: undefined }
  say({ type: 'refused', code, message: errorText(error), ...(path !== undefined && { path }) })
  port.close()
}
