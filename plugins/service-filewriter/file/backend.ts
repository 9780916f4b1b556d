// What file.ts asks of a way to write columns: direct.ts (by position) or plain.ts (through the library).
import { type Column } from '../writer-part.js'

/** In which order columns become visible at a checkpoint. */
export interface Publishing {
  /** Path of the parent: columns of one group are published together. */
  readonly group: string
  readonly index: boolean
  readonly bulk: boolean
}

export type BackendColumn = Column & { readonly publishing: Publishing }

export interface Backend {
  /** Structure is complete; from here the columns grow. */
  begin(): void
  /** Readers see everything appended so far. */
  checkpoint(): void
  /** As checkpoint, then lets go of the file so that the library can have it. */
  end(): void
  /** Gives up without publishing more; for use after a failure. */
  abandon(): void
}
