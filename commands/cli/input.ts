// Files and standard input as sub-commands read them.
import { constants } from 'node:buffer'
import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { CodedError } from '../../core/api/errors.js'

/** A file's bytes, or standard input for `-`. Throws FILE_READ. */
export async function readInput(file: string): Promise<Buffer> {
  try {
    return file === '-' ? await buffer(process.stdin) : await readFile(file)
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const why = code === 'EISDIR' ? 'it is a folder; name a file in it' : message
    throw new CodedError('FILE_READ', `${file} cannot be read: ${why}`, { cause })
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
