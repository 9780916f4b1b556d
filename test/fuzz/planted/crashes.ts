// Ends its process.
import { planted } from './decoder.js'

export default planted(() => process.kill(process.pid, 'SIGKILL'))
