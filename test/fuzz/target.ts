// What is fuzzed: one decoder of what comes over a network or out of a foreign file, its samples and the errors that it may throw.

export interface Target {
  /** Sound inputs, made by our own encoders or recorded from real servers, to begin with. */
  seeds(): readonly Uint8Array[] | Promise<readonly Uint8Array[]>
  /** Decodes; throws where what was decoded breaks a promise of the decoder. */
  run(input: Buffer): unknown
  /** Whether this is an error that the decoder is documented to throw. */
  allows(error: unknown): boolean
  /** JSON or other text: values are exchanged as wholes. Default false. */
  readonly isText?: boolean
  /** Longest input in bytes; default 4096. */
  readonly maxLength?: number
  /** Loop rounds and calls of functions that one input may take; default 200,000. */
  readonly maxSteps?: number
  /** Memory in bytes that one input may take; default 16 MiB. */
  readonly maxBytes?: number
}

/** A promise of the decoder that was broken. */
export function promise(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Broken(what)
}

export class Broken extends Error {
  override readonly name = 'Broken'
}
