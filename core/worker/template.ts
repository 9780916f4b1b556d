// The static part of an instrument's files: INSTRUMENT/INSTRUMENT.json in the folder of templates.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CodedError } from '../errors.js'

/** Names that can be no path. */
const plainName = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/

/** The JSON text, or undefined when there is none for the instrument: the structure then stands alone. Throws FILE_READ. */
export function templateOf(folder: string | null, instrument: string): string | undefined {
  if (folder === null || !plainName.test(instrument)) return undefined
  const file = join(folder, instrument, `${instrument}.json`)
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new CodedError('FILE_READ', `template ${file}: ${(cause as Error).message}`, { cause })
  }
}
