// All commands of the simulator.
import { start } from './start.js'
import { status } from './status.js'
import { stop } from './stop.js'

export const commands = [start, status, stop]
