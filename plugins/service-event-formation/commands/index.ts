// All commands of event formation.
import { config } from './config.js'
import { start } from './start.js'
import { status } from './status.js'
import { stop } from './stop.js'

export const commands = [config, start, status, stop]
