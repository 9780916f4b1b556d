// Entry of the thread that only receives: from the socket into the ring.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { CodedError, errorText } from '../../../core/api/plugin.js'
import { BatchReceiver } from './batch-receiver.js'
import { type FromReceiving, type ReceivingData } from './ring-source.js'
import { RingWriter } from './ring.js'
import { UdpReceiver } from './receiver.js'
import { SystemCalls } from './system-calls.js'

const KERNEL_MS = 500

const port = parentPort
if (port === null) throw new Error('this is the entry of a worker thread')
const say = (message: FromReceiving): void => port.postMessage(message)
const fail = (error: unknown): void => say({ type: 'failed', message: errorText(error) })
const { ring, receiveBy, ...address } = workerData as ReceivingData

function closed(): void {
  say({ type: 'closed' })
  port!.close()
}

async function byDgram(why: string): Promise<void> {
  const writer = new RingWriter(ring)
  const receiver = await UdpReceiver.open(address, (packet, sender) => writer.put(packet, sender), fail)
  const timer = setInterval(() => writer.kernelDrops(receiver.drops()), KERNEL_MS)
  port!.once('message', () => {
    clearInterval(timer)
    void receiver.close().then(() => {
      writer.kernelDrops(receiver.drops())
      closed()
    })
  })
  say({ type: 'open', bufferBytes: receiver.bufferBytes, by: 'dgram', why })
}

async function byBatches(calls: SystemCalls): Promise<void> {
  const receiver = await BatchReceiver.open(calls, address, ring)
  say({ type: 'open', bufferBytes: receiver.bufferBytes, by: 'recvmmsg' })
  try {
    receiver.run(() => receiveMessageOnPort(port!) !== undefined)
    receiver.close()
    closed()
  } catch (error) {
    receiver.close()
    port!.once('message', closed)
    fail(error)
  }
}

try {
  const calls = receiveBy === 'dgram' ? 'receive_by says so' : await SystemCalls.open()
  await (typeof calls === 'string' ? byDgram(calls) : byBatches(calls))
} catch (error) {
  const { code, path } = error instanceof CodedError ? error : { code: 'COMMAND_FAILED' as const, path: undefined }
  say({ type: 'refused', code, message: errorText(error), ...(path !== undefined && { path }) })
  port.close()
}
