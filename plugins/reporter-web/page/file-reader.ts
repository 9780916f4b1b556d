// A file that is read in a worker of its own; made when somebody looks at one.
import { type FileObject, type FileQuestion, type FileSource, type FromFileWorker } from './file-protocol.js'

export class FileReading {
  readonly #worker = new Worker('/file-worker.js', { type: 'module' })
  readonly #asked = new Map<number, { resolve: (object: FileObject) => void; reject: (error: Error) => void }>()
  #next = 1

  constructor() {
    this.#worker.addEventListener('message', ({ data }: MessageEvent<FromFileWorker>) => {
      const asked = this.#asked.get(data.ask)
      this.#asked.delete(data.ask)
      if ('object' in data) asked?.resolve(data.object)
      else asked?.reject(new Error(data.problem))
    })
    this.#worker.addEventListener('error', () => {
      for (const { reject } of this.#asked.values()) reject(new Error('the reader of files did not start'))
    })
  }

  #ask(question: FileQuestion): Promise<FileObject> {
    const ask = this.#next++
    return new Promise((resolve, reject) => {
      this.#asked.set(ask, { resolve, reject })
      this.#worker.postMessage({ ask, ...question })
    })
  }

  /** Resolves with its root. */
  open(source: FileSource): Promise<FileObject> {
    return this.#ask({ type: 'open', source })
  }

  look(path: string): Promise<FileObject> {
    return this.#ask({ type: 'look', path })
  }

  close(): void {
    this.#worker.terminate()
  }
}
