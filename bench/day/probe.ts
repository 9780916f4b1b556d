// Loaded before the daemon (--expose-gc --import): tells over the socket SOAK_PROBE what the process holds after a garbage collection.
import { createServer } from 'node:net'
import { getHeapSpaceStatistics } from 'node:v8'
import { BroadcastChannel, isMainThread } from 'node:worker_threads'

/** What the daemon holds; MB. */
export interface Held {
  /** Heap of the main thread that is in use, without the young generation. */
  readonly heapMb: number
  /** Room of the young generation, which V8 makes larger and smaller as it likes. */
  readonly youngMb: number
  readonly externalMb: number
  readonly arrayBuffersMb: number
  /** The same of all other threads: heap in use and room of the young generation; external memory. */
  readonly threadHeapMb: number
  readonly threadYoungMb: number
  readonly threadExternalMb: number
  /** libuv's handles of the main thread by type. */
  readonly handles: Readonly<Record<string, number>>
}

const MB = 2 ** 20
const path = process.env['SOAK_PROBE']
const PATIENCE_MS = 5000

interface HeapReport {
  readonly usedMemory: number
  readonly externalMemory: number
  readonly heapSpaces: Readonly<Record<string, { readonly used: number; readonly memorySize: number }>>
}

interface Report {
  readonly libuv: readonly { readonly type: string }[]
  readonly workers: readonly { readonly javascriptHeap: HeapReport }[]
}

function collect(): void {
  const { gc } = globalThis as { gc?: () => void }
  // What was only waiting for its finaliser goes with the second
  gc?.()
  gc?.()
}

const report = (): Report => process.report.getReport() as unknown as Report
const channel = new BroadcastChannel('soak-probe')

/** All threads collect; one that is too busy to answer is not waited for. */
async function collectEverywhere(): Promise<void> {
  const { length } = report().workers
  let answers = 0
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, PATIENCE_MS)
    channel.onmessage = ({ data }) => {
      if (data !== 'collected' || ++answers < length) return
      clearTimeout(timer)
      resolve()
    }
    channel.postMessage('collect')
    collect()
    if (length === 0) resolve()
  })
}

async function held(): Promise<Held> {
  await collectEverywhere()
  const spaces = getHeapSpaceStatistics()
  const isYoung = (name: string): boolean => name === 'new_space' || name === 'new_large_object_space'
  const sum = (young: boolean, key: 'space_used_size' | 'space_size'): number =>
    spaces.reduce((total, space) => total + (isYoung(space.space_name) === young ? space[key] : 0), 0) / MB
  const { external, arrayBuffers } = process.memoryUsage()
  const handles: Record<string, number> = {}
  const { libuv, workers } = report()
  const ofThreads = (of: (heap: HeapReport) => number): number =>
    workers.reduce((total, { javascriptHeap }) => total + of(javascriptHeap), 0) / MB
  const youngOf = ({ heapSpaces }: HeapReport, key: 'used' | 'memorySize'): number =>
    (heapSpaces['new_space']?.[key] ?? 0) + (heapSpaces['new_large_object_space']?.[key] ?? 0)
  for (const { type } of libuv) if (type !== 'loop') handles[type] = (handles[type] ?? 0) + 1
  return {
    heapMb: sum(false, 'space_used_size'),
    youngMb: sum(true, 'space_size'),
    externalMb: external / MB,
    arrayBuffersMb: arrayBuffers / MB,
    threadHeapMb: ofThreads((heap) => heap.usedMemory - youngOf(heap, 'used')),
    threadYoungMb: ofThreads((heap) => youngOf(heap, 'memorySize')),
    threadExternalMb: ofThreads(({ externalMemory }) => externalMemory),
    handles
  }
}

if (path !== undefined && isMainThread) {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    void held().then((now) => socket.end(JSON.stringify(now)))
  })
  server.listen(path)
  server.unref()
}
if (path !== undefined) (channel as unknown as { unref(): void }).unref()
if (path !== undefined && !isMainThread)
  channel.onmessage = ({ data }) => {
    if (data !== 'collect') return
    collect()
    channel.postMessage('collected')
  }
