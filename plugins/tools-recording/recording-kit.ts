// For tools of plugins: recordings (MCAP) read as topics are.
import { type RecordedMessage } from './recorded.js'

export { type RecordedMessage } from './recorded.js'

/** Whether a word of the command line names a recording, not a topic: it ends so, and is not `host:port/topic`. */
export const isRecording = (word: string | undefined): word is `${string}.mcap` =>
  word !== undefined && /\.mcap$/i.test(word) && !/^[^/]*:\d+\/[^/]+$/.test(word)

/**
 * Messages in the order in which they were recorded. `heard` is told once when the file was not closed: what is whole is read all
 * the same. Throws CodedError FILE_READ, after what comes before the damage.
 */
export async function* readRecording(file: string, heard: (note: string) => void): AsyncGenerator<RecordedMessage> {
  // Most tools that can read one never do
  const reader = await import('./mcap/reader.js')
  yield* reader.readRecording(file, heard)
}
