// For `nexstream check`: what is wrong with the detectors of the config, or with a command, beyond their schemas.
import { type Command, type Finding, findingOf, type PartLookup } from '../../core/api/plugin.js'
import { filesOf } from './files.js'
import { checkFiles, readoutOf } from './form/check.js'
import { type DetectorOptions, type EventFormationOptions } from './options.js'

export function inspect(options: EventFormationOptions, command: Command | undefined, parts: PartLookup): Finding[] {
  if (command !== undefined) {
    if (command.cmd !== 'start') return []
    return findings(command as unknown as DetectorOptions, options.folder, true, '', parts)
  }
  return Object.entries(options.detectors as Record<string, DetectorOptions>).flatMap(([name, one]) =>
    findings(one, options.folder, false, `/detectors/${name}`, parts)
  )
}

function findings(one: DetectorOptions, folder: string, isCommand: boolean, at: string, parts: PartLookup): Finding[] {
  try {
    const part = readoutOf(parts, one.family, `${at}/family`)
    checkFiles(parts, part, filesOf(one, folder, isCommand, at), `${at}/config`)
    return []
  } catch (error) {
    return [findingOf(error)]
  }
}
