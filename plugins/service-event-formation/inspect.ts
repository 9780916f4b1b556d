// For `nexstream check`: what is wrong with the detectors of the config, or with a command, beyond their schemas.
import { CodedError, type Command, type Finding, findingOf, type PartLookup } from '../../core/api/plugin.js'
import { filesOf } from './files.js'
import { checkFiles, readoutOf } from './form/check.js'
import { type DetectorOptions, type EventFormationOptions, requireRawTopic } from './options.js'
import { isMulticast } from './thread/receiver.js'

export function inspect(options: EventFormationOptions, command: Command | undefined, parts: PartLookup): Finding[] {
  if (command !== undefined) {
    if (command.cmd !== 'start') return []
    return findings(command as unknown as DetectorOptions, options.folder, true, '', parts)
  }
  const detectors = Object.entries(options.detectors as Record<string, DetectorOptions>)
  const found = detectors.flatMap(([name, one]) => findings(one, options.folder, false, `/detectors/${name}`, parts))
  return [...found, ...portsTwice(detectors)]
}

/** Multicast groups may be joined twice. */
function portsTwice(detectors: readonly (readonly [string, DetectorOptions])[]): Finding[] {
  const owners = new Map<string, string>()
  return detectors.flatMap(([name, { host, port }]) => {
    const address = `${host}:${port}`
    const owner = owners.get(address)
    owners.set(address, owner ?? name)
    if (owner === undefined || isMulticast(host)) return []
    const path = `/detectors/${name}/port`
    return [findingOf(new CodedError('PORT_FAILED', `detector ${owner} receives at ${address}`, { path }))]
  })
}

function findings(one: DetectorOptions, folder: string, isCommand: boolean, at: string, parts: PartLookup): Finding[] {
  try {
    if (one.raw_only) requireRawTopic(one, at)
    const part = readoutOf(parts, one.family, `${at}/family`)
    checkFiles(parts, part, filesOf(one, folder, isCommand, at), `${at}/config`)
    return []
  } catch (error) {
    return [findingOf(error)]
  }
}
