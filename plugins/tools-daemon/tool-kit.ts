// For tools of plugins, as `nexstream/tools`: commands to a daemon, tables and the like for people, moments and numbers of the command line.
export { ask, askOn, showReply } from './kit/command-client.js'
export { countOf, isRelative, moment, zoned } from './kit/moments.js'
export { meter, type Way } from './kit/meter.js'
export { isPvName, pvNamed } from './kit/pv-names.js'
export { untilStopped } from './kit/stopping.js'
export { bytes, cutToWidth, repainted, table, terminalWidth } from './kit/table.js'
export { noTopic } from './kit/topics.js'
