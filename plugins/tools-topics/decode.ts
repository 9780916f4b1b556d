// `nexstream decode`: each file is one message value, or a recording of many; prints each message as one JSON line.
import { CodedError, exitCodes, type ToolContext, type ToolRun } from '../../core/api/plugin.js'
import { isRecording, readRecording } from '../tools-recording/recording-kit.js'
import { decodeValue } from './decoding.js'
import { type Decode, decoderOf } from './foreign.js'

/** A message that cannot be decoded is reported, and the others are printed all the same. */
const decode: ToolRun = async (files, _flags, context) => {
  const decoder = await decoderOf(context)
  let failed = false
  for (const file of files) {
    if (file === undefined) continue
    if (isRecording(file)) {
      if (!(await decodeRecording(file, decoder.decode, context))) failed = true
      continue
    }
    const bytes = await context.readBytes(file)
    try {
      await context.printJson({ file: file === '-' ? undefined : file, ...decoder.decode(bytes) })
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      context.sayError(new CodedError(error.code, `${file}: ${error.message}`))
      failed = true
    }
  }
  await decoder.close()
  return failed ? exitCodes.failed : exitCodes.done
}

export default decode

/** False where a message cannot be decoded. */
async function decodeRecording(file: string, decode: Decode, context: ToolContext): Promise<boolean> {
  let isGood = true
  for await (const { topic, partition, offset, timestampMs, key, value } of readRecording(file, context.say)) {
    const decoded = decodeValue(value, decode)
    const place = { topic, partition, offset, timestamp_ms: timestampMs, key: key?.toString('utf8') ?? null }
    if (value === null || decoded.error === undefined) await context.printJson({ file, ...place, ...decoded })
    else {
      context.sayError(new CodedError('MESSAGE_BAD', `${file}: ${topic}[${partition}]@${offset}: ${decoded.error}`))
      isGood = false
    }
  }
  return isGood
}
