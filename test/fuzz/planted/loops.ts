// Does not end.
import { planted } from './decoder.js'

export default planted(() => {
  for (let i = 0; ; i++) if (i < 0) return
})
