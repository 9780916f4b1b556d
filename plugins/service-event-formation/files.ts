// The files of a detector: from the config or a command itself, or from the folder of the service.
import { readFileSync } from 'node:fs'
import { isAbsolute, relative, resolve } from 'node:path'
import { CodedError } from '../../core/api/plugin.js'
import { type DetectorFiles } from './form/formation.js'
import { type DetectorOptions } from './options.js'

/** Most bytes of one file. */
const LARGEST = 64 * 1024 * 1024

/** What a detector is told by its files; throws FILE_PATH, FILE_READ, DETECTOR_INVALID with the path of the key. */
export function filesOf(options: DetectorOptions, folder: string, isCommand: boolean, at: string): DetectorFiles {
  const content = (key: 'config' | 'calibration'): unknown => {
    const name = options[`${key}_file`]
    if (name === undefined) return structuredClone(options[key])
    const path = `${at}/${key}_file`
    if (options[key] !== undefined) throw new CodedError('DETECTOR_INVALID', `both ${key} and ${key}_file`, { path })
    return readTextFile(pathIn(folder, name, isCommand, path), name, path)
  }
  const config = content('config') ?? {}
  if (typeof config !== 'object' || Array.isArray(config))
    throw new CodedError('DETECTOR_INVALID', 'the file of a detector is a JSON object', { path: `${at}/config_file` })
  return { config: config as Record<string, unknown>, calibration: content('calibration') }
}

function pathIn(folder: string, name: string, isCommand: boolean, path: string): string {
  const file = resolve(folder, name)
  const inside = relative(resolve(folder), file)
  if (isCommand && (inside.startsWith('..') || isAbsolute(inside)))
    throw new CodedError('FILE_PATH', `'${name}' is not in the folder of event formation`, { path })
  return file
}

/** JSON, or the text of a table. Says nothing of what stands in a file that is no JSON: commands come from anybody. */
function readTextFile(file: string, name: string, path: string): unknown {
  let text: string
  try {
    const bytes = readFileSync(file)
    if (bytes.length > LARGEST) throw new Error('too large')
    text = bytes.toString()
  } catch (cause) {
    throw new CodedError('FILE_READ', `'${name}' cannot be read: ${(cause as NodeJS.ErrnoException).code ?? 'too large'}`, { path, cause }) // prettier-ignore
  }
  if (name.endsWith('.csv')) return text
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new CodedError('FILE_READ', `'${name}' is no JSON`, { path, cause })
  }
}
