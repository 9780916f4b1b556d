// Gives memory of large buffers back at once: the collector of garbage would let several of 134 MB pile up first.
import { MessageChannel } from 'node:worker_threads'

/** Less is not worth it. */
const LARGE = 1 << 24

const { port1: away, port2 } = new MessageChannel()
port2.close()
away.unref()

/** The buffer is of no use afterwards. What is transferred to a port that nobody reads is freed. */
export function discard(buffer: ArrayBufferLike): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= LARGE) away.postMessage(null, [buffer])
}
