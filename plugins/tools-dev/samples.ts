// The config and the structure that `nexstream dev` begins with: made once, then whoever keeps them may change them.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CodedError, errorText } from '../../core/api/plugin.js'
import { type FacilityKind } from './kinds.js'

/** Config, database and structure lie in the package beside `dist`. */
export const samples = fileURLToPath(new URL('../../../plugins/tools-dev/facility/', import.meta.url))

/** Puts them there; what somebody has changed stays. Gives the text of the config. Throws CLI_USAGE, also for one of another instrument or kind. */
export async function samplesIn(
  folder: string,
  files: string,
  instrument: string,
  kind: FacilityKind
): Promise<string> {
  const file = join(folder, 'nexstream.toml')
  const text = await made(folder, files, instrument, kind)
    .then(() => readFile(file, 'utf8'))
    .catch((cause: unknown) => {
      throw new CodedError('CLI_USAGE', `${folder}: ${errorText(cause)}`, { cause })
    })
  // Its daemon would hear nothing
  if (!text.includes(`"${instrument}_commands"`))
    throw new CodedError('CLI_USAGE', `${file} has no topic "${instrument}_commands": it is of another instrument; give its name by --instrument, or another folder by --data`) // prettier-ignore
  if (kind.marks !== undefined && !text.includes(kind.marks))
    throw new CodedError('CLI_USAGE', `${file} has no ${kind.marks}: it is of another facility; give that by --facility, or another folder by --data`) // prettier-ignore
  return text
}

async function made(folder: string, files: string, instrument: string, kind: FacilityKind): Promise<void> {
  for (const one of [folder, files]) await mkdir(one, { recursive: true })
  for (const name of ['nexstream.toml', 'structure.json']) {
    const text = (await readFile(join(samples, kind.folder ?? '', name), 'utf8')).replaceAll('DEMO', instrument)
    await writeFile(join(folder, name), text, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
}
