// Loaded before the daemon (--expose-gc --import): tells over the socket SOAK_PROBE what the process holds after a garbage collection.
import { createServer } from 'node:net'
import { getHeapSpaceStatistics } from 'node:v8'
import { isMainThread } from 'node:worker_threads'

/** What the daemon holds; MB. */
export interface Held {
  /** Heap of the main thread that is in use, without the young generation. */
  readonly heapMb: number
  /** Room of the young generation, which V8 makes larger and smaller as it likes. */
  readonly youngMb: number
  readonly externalMb: number
  readonly arrayBuffersMb: number
  /** libuv's handles of the main thread by type. */
  readonly handles: Readonly<Record<string, number>>
}

const MB = 2 ** 20
const path = process.env['SOAK_PROBE']

function held(): Held {
  const { gc } = globalThis as { gc?: () => void }
  // What was only waiting for its finaliser goes with the second
  gc?.()
  gc?.()
  const spaces = getHeapSpaceStatistics()
  const isYoung = (name: string): boolean => name === 'new_space' || name === 'new_large_object_space'
  const sum = (young: boolean, key: 'space_used_size' | 'space_size'): number =>
    spaces.reduce((total, space) => total + (isYoung(space.space_name) === young ? space[key] : 0), 0) / MB
  const { external, arrayBuffers } = process.memoryUsage()
  const handles: Record<string, number> = {}
  const { libuv } = process.report.getReport() as unknown as { libuv: readonly { type: string }[] }
  for (const { type } of libuv) if (type !== 'loop') handles[type] = (handles[type] ?? 0) + 1
  return {
    heapMb: sum(false, 'space_used_size'),
    youngMb: sum(true, 'space_size'),
    externalMb: external / MB,
    arrayBuffersMb: arrayBuffers / MB,
    handles
  }
}

if (path !== undefined && isMainThread) {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.end(JSON.stringify(held()))
  })
  server.listen(path)
  server.unref()
}
