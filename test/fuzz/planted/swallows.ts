// Goes on though it was told to stop.
import { planted } from './decoder.js'

export default planted(() => {
  for (let i = 0; i < 500_000; i++)
    try {
      for (let j = 0; j < 2; j++) if (i < 0) return
    } catch {
      continue
    }
})
