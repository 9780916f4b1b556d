// The h5wasm back end: whole chunks through the library. Slower than direct.ts, and its twin in the tests.
import { type Backend, type BackendColumn, type Publishing } from './backend.js'
import { type Budget, TailColumn } from './column.js'
import { type DatasetLayout, type WasmFile } from './wasm.js'

const BATCH_BYTES = 1 << 16

interface ColumnPlace {
  readonly path: string
  readonly layout: DatasetLayout
  readonly publishing: Publishing
}

class PlainColumn extends TailColumn implements BackendColumn {
  /** Rows not yet handed to the library, gathered to whole chunks: the library reads back partly filled ones. */
  #waiting: Uint8Array[] = []
  #waitingBytes = 0

  #written: number
  readonly #file: () => WasmFile

  readonly publishing: Publishing

  constructor({ path, layout, publishing }: ColumnPlace, budget: Budget, written: number, file: () => WasmFile) {
    super(path, layout, budget)
    this.publishing = publishing
    this.#written = written
    this.#file = file

    this.stored = written
  }

  protected store(bytes: Uint8Array): void {
    this.#waiting.push(Uint8Array.prototype.slice.call(bytes))
    this.#waitingBytes += bytes.byteLength
    const chunk = this.layout.chunk * this.rowBytes
    const end = Math.floor((this.#written + this.#waitingBytes) / chunk) * chunk
    if (end - this.#written >= Math.min(chunk, BATCH_BYTES)) this.#drain(end - this.#written)
  }

  /** Writes the first `n` waiting bytes. */
  #drain(n: number): void {
    if (n <= 0) return
    const all = Buffer.concat(this.#waiting, this.#waitingBytes)
    const rows = n / this.rowBytes
    const start = this.#written / this.rowBytes
    this.#file().resize(this.path, [start + rows, ...this.layout.row])
    this.#file().write(this.path, start, rows, this.layout.row, all.subarray(0, n))
    this.#written += n
    this.#waiting = n < all.length ? [all.subarray(n)] : []
    this.#waitingBytes -= n
  }

  /** Chunks of the library span the rows that the dataset was made with. */
  grow(): undefined {}

  publish(): void {
    this.#drain(this.#waitingBytes)
  }
}

export class PlainBackend implements Backend {
  readonly #columns: PlainColumn[] = []

  readonly #file: () => WasmFile
  readonly #budget: Budget

  constructor(file: () => WasmFile, budget: Budget) {
    this.#file = file
    this.#budget = budget
  }

  column(path: string, layout: DatasetLayout, publishing: Publishing, length: number): BackendColumn {
    const place = { path, layout, publishing }
    const rowBytes = length === 0 ? 0 : new PlainColumn(place, this.#budget, 0, this.#file).rowBytes
    const column = new PlainColumn(place, this.#budget, length * rowBytes, this.#file)
    this.#columns.push(column)
    return column
  }

  begin(): void {
    // The library keeps the file open
  }

  checkpoint(): void {
    for (const column of this.#columns) column.flush()
    for (const index of [false, true])
      for (const column of this.#columns) if (column.publishing.index === index) column.publish()
    this.#file().flush()
  }

  end(): void {
    this.checkpoint()
  }

  abandon(): void {
    for (const column of this.#columns) column.release()
  }
}
