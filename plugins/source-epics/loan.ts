// Memory of a large vector that several hold: used again when the last has given it back. Who never does leaves it to V8.
import { LARGE_BYTES, type Update } from '../../core/plugin.js'
import { isVector } from '../../schemas/convert.js'
import { spares } from './gatherer.js'

export class Loan {
  #holders: number

  constructor(
    readonly memory: Uint8Array,
    holders = 1
  ) {
    this.#holders = holders
  }

  /** Another holder, who may call what is returned, once or more often. */
  hold(): () => void {
    let holds = true
    this.#holders++
    return () => {
      if (holds) this.release()
      holds = false
    }
  }

  release(): void {
    if (--this.#holders === 0) spares.give(this.memory)
  }
}

/** `giveBack` of an update whose vector nobody else holds. */
export function lendVector(value: Update['value']): (() => void) | undefined {
  return isVector(value) && value.bytes.length >= LARGE_BYTES ? new Loan(value.bytes, 0).hold() : undefined
}
