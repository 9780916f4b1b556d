// The worker that reads HDF5 files in the browser, by h5wasm: the parts of a file that are looked at are fetched, no more.
import type * as Hdf5 from 'h5wasm'
import { lookAt } from './file-look.js'
import { type FileSource, type FromFileWorker, type ToFileWorker } from './file-protocol.js'

const PART = 1_048_576
const MOST_PARTS = 96

/** Bytes of a file, fetched in parts; the parts used last are kept. */
class RemoteFile {
  readonly #parts = new Map<number, Uint8Array>()

  constructor(readonly source: FileSource) {}

  /** HDF5 wants its bytes at once, so the worker waits for them. */
  #fetch(part: number): Uint8Array {
    const { url, bytes, token } = this.source
    const request = new XMLHttpRequest()
    request.open('GET', url, false)
    request.responseType = 'arraybuffer'
    request.setRequestHeader('range', `bytes=${part * PART}-${Math.min(bytes, (part + 1) * PART) - 1}`)
    if (token !== '') request.setRequestHeader('authorization', `Bearer ${token}`)
    request.send()
    if (request.status !== 206 && request.status !== 200)
      throw new Error(`the daemon does not give the file (status ${request.status})`)
    return new Uint8Array(request.response as ArrayBuffer)
  }

  #part(part: number): Uint8Array {
    const found = this.#parts.get(part) ?? this.#fetch(part)
    this.#parts.delete(part)
    this.#parts.set(part, found)
    if (this.#parts.size > MOST_PARTS) this.#parts.delete(this.#parts.keys().next().value ?? 0)
    return found
  }

  /** Returns how many bytes there were. */
  read(into: Uint8Array, length: number, position: number): number {
    const end = Math.min(position + length, this.source.bytes)
    let at = position
    while (at < end) {
      const part = this.#part(Math.floor(at / PART))
      const from = at % PART
      const bytes = part.subarray(from, Math.min(part.length, from + end - at))
      if (bytes.length === 0) break
      into.set(bytes, at - position)
      at += bytes.length
    }
    return Math.max(0, at - position)
  }
}

/** A node of the file system of Emscripten, as far as it is needed. */
interface FileNode {
  usedBytes: number
  stream_ops: object
}
interface FileMaker {
  createFile(parent: string, name: string, properties: object, canRead: boolean, canWrite: boolean): FileNode
}

const NAME = 'remote.h5'
let file: Hdf5.File | undefined

async function open(source: FileSource): Promise<void> {
  // From a variable: it is served as it is, not bundled
  const library = '/h5wasm/hdf5_hl.js'
  const hdf5 = (await import(library)) as typeof Hdf5
  await hdf5.ready
  const remote = new RemoteFile(source)
  const node = (hdf5.FS as unknown as FileMaker).createFile('/', NAME, {}, true, false)
  Object.defineProperty(node, 'usedBytes', { get: () => source.bytes })
  const read = (_stream: unknown, heap: Uint8Array, offset: number, length: number, position: number): number =>
    remote.read(heap.subarray(offset, offset + length), length, position)
  node.stream_ops = { ...node.stream_ops, read }
  file = new hdf5.File(`/${NAME}`, 'r')
}

async function answer({ ask, ...question }: ToFileWorker): Promise<FromFileWorker> {
  try {
    if (question.type === 'open') await open(question.source)
    if (file === undefined) throw new Error('no file is open')
    return { ask, object: lookAt(file, question.type === 'look' ? question.path : '/') }
  } catch (error) {
    return { ask, problem: (error as Error).message }
  }
}

addEventListener('message', ({ data }: MessageEvent<ToFileWorker>) => {
  void answer(data).then((said) => postMessage(said))
})
