// Messages that are commands, answers and states, typed.
export * from './forwarder.js'
export * from './run.js'
export * from './status.js'
