// For tools of plugins: what a NeXus file holds, to be sent again.
export * from './file/played.js'
export { structureOfFile, type StreamOf } from './structure/of-file.js'
