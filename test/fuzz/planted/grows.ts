// Takes much memory outside the heap.
import { planted } from './decoder.js'

export default planted(() => new Float64Array(8 << 20).length)
