// For tools of plugins: what a NeXus file holds, to be sent again.
export { playedFile } from './file/played.js'
export { type EventsPlayed, type LogPlayed, type PlayedNumbers } from './file/rows.js'
export { type Sampling } from './file/sampled.js'
export { structureOfFile, type StreamOf } from './structure/of-file.js'
