// `nexstream decode`: each file is one message value; prints it as one JSON line.
import { CodedError, exitCodes, type ToolRun } from '../../core/api/plugin.js'
import { decoderOf } from './foreign.js'

/** A message that cannot be decoded is reported, and the others are printed all the same. */
const decode: ToolRun = async (files, _flags, context) => {
  const decoder = await decoderOf(context)
  let failed = false
  for (const file of files) {
    if (file === undefined) continue
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
