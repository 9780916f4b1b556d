// For tools of plugins: recordings (MCAP) read as topics are.
import { type RecordedMessage } from './recorded.js'

export { type RecordedMessage } from './recorded.js'

/** Whether a word of the command line names a file of this ending, not a topic: it is not `host:port/topic`. */
export const namesFile = (word: string, ending: RegExp): boolean =>
  ending.test(word) && !/^[^/]*:\d+\/[^/]+$/.test(word)

/** Whether a word of the command line names a recording, not a topic. */
export const isRecording = (word: string | undefined): word is `${string}.mcap` =>
  word !== undefined && namesFile(word, /\.mcap$/i)

/**
 * Messages in the order in which they were recorded. `heard` is told once when the file was not closed: what is whole is read all
 * the same. Throws CodedError FILE_READ, after what comes before the damage.
 */
export async function* readRecording(file: string, heard: (note: string) => void): AsyncGenerator<RecordedMessage> {
  // Most tools that can read one never do
  const reader = await import('./mcap/reader.js')
  yield* reader.readRecording(file, heard)
}
