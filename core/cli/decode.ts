// `nexstream decode`: each file is one message value; prints it as one JSON line.
import { constants } from 'node:buffer'
import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { CodedError } from '../api/errors.js'
import { type ConfigFlags } from './config.js'
import { exitCodes, report } from './exit.js'
import { decoderOf } from './foreign.js'
import { printJson } from './io.js'

/** A file's bytes, or standard input for `-`. Throws FILE_READ. */
export async function readInput(file: string): Promise<Buffer> {
  try {
    return file === '-' ? await buffer(process.stdin) : await readFile(file)
  } catch (cause) {
    throw new CodedError('FILE_READ', `${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
}

/** Text of a file. Throws FILE_READ, also for more than the run time can hold. */
export async function readText(file: string): Promise<string> {
  const bytes = await readInput(file)
  try {
    return bytes.toString('utf8')
  } catch (cause) {
    const most = constants.MAX_STRING_LENGTH
    throw new CodedError('FILE_READ', `${file} has ${bytes.length} bytes; a text may have ${most}`, { cause }) // prettier-ignore
  }
}

/** A message that cannot be decoded is reported, and the others are printed all the same. */
export async function decode(files: readonly string[], flags: ConfigFlags): Promise<number> {
  const decoder = await decoderOf(flags)
  let failed = false
  for (const file of files) {
    const bytes = await readInput(file)
    try {
      await printJson({ file: file === '-' ? undefined : file, ...decoder.decode(bytes) })
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      report(new CodedError(error.code, `${file}: ${error.message}`))
      failed = true
    }
  }
  await decoder.close()
  return failed ? exitCodes.failed : exitCodes.done
}
