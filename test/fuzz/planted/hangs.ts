// Hangs in code without counters.
import { planted } from './decoder.js'

export default planted(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
