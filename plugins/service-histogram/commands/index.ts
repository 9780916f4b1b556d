// All commands of the histogram service.
import { config } from './config.js'
import { reset } from './reset.js'
import { start } from './start.js'
import { status } from './status.js'
import { stop } from './stop.js'

export const commands = [config, reset, start, status, stop]
