// A decoder with a fault behind three bytes that must be guessed one after the other, to test that fuzzing finds it.
import { type Target } from '../target.js'

/** A sound input is longer than it need be: what is found is to be shortened. */
export const planted = (fault: () => unknown, more: Partial<Target> = {}): Target => ({
  seeds: () => [Buffer.alloc(40, '.')],
  run: (input) => {
    if (input[0] === 0x70) {
      if (input[1] === 0x6c) {
        if (input[2] === 0x61) fault()
      }
    }
    if (input.length < 3) throw new RangeError('too short')
  },
  allows: (error) => error instanceof RangeError,
  ...more
})
