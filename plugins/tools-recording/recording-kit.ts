// For tools of plugins: recordings (MCAP) read as topics are.
export { readRecording } from './mcap/reader.js'
export { type RecordedMessage } from './recorded.js'

/** Whether a word of the command line names a recording, not a topic: it ends so, and is not `host:port/topic`. */
export const isRecording = (word: string | undefined): word is string =>
  word !== undefined && /\.mcap$/i.test(word) && !/^[^/]*:\d+\/[^/]+$/.test(word)
