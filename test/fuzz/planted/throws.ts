// Throws what it does not document.
import { planted } from './decoder.js'

export default planted(() => {
  throw new TypeError('planted')
})
