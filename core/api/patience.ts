// Waiting that has an end.
import { type Worker } from 'node:worker_threads'

/** False when it took longer than `ms`; rejects when it does before. */
export async function endsWithin(done: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), ms)))
  try {
    return await Promise.race([done.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}

/** Tells a thread to end by this message, and ends it when it has not within `ms`. */
export async function endThread(worker: Worker, message: unknown, ms: number): Promise<void> {
  const gone = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  worker.postMessage(message)
  if (!(await endsWithin(gone, ms))) await worker.terminate()
}
