// Memory of a large vector that several hold: it is used again when the last of them has given it back; what is not given back is garbage-collected.
import { spares } from './gatherer.js'
import { LARGE_BYTES, once, isVector, type Update } from '../../../schemas/index.js'

export class Loan {
  #holders = 1

  constructor(readonly memory: Uint8Array) {}

  /** Another holder, who may call what is returned, once or more often. */
  hold(): () => void {
    this.#holders++
    return once(() => this.release())
  }

  release(): void {
    if (--this.#holders === 0) spares.give(this.memory)
  }
}

/** `giveBack` of an update whose vector nobody else holds. */
export function lendVector(value: Update['value']): (() => void) | undefined {
  return isVector(value) && value.bytes.length >= LARGE_BYTES ? once(() => spares.give(value.bytes)) : undefined
}
