// Whether a family takes the files of a detector; nothing is left open.
import { CodedError, type PartLookup } from '../../../core/api/plugin.js'
import { type ReadoutPart } from '../readout-kit.js'
import { Formation, type DetectorFiles, type FormationOptions } from './formation.js'

/** The family of this id. Throws READOUT_UNKNOWN. */
export function readoutOf(parts: PartLookup, id: string, path: string): ReadoutPart {
  const part = parts.readout(id) as ReadoutPart | undefined
  if (part !== undefined) return part
  throw new CodedError('READOUT_UNKNOWN', `no family '${id}'; loaded: ${parts.ids('readout').join(', ')}`, { path })
}

/** Fills in the defaults of the file. Throws what is wrong with it: DETECTOR_INVALID, or what the family throws. */
export function checkFiles(parts: PartLookup, part: ReadoutPart, files: DetectorFiles, path: string): void {
  const [first, ...others] = parts.check(part.config, files.config, path)
  if (first !== undefined) {
    const more = others.length === 0 ? '' : ` (and ${others.length} more)`
    throw new CodedError('DETECTOR_INVALID', `${first.message}${more}`, { path: first.path })
  }
  const options: FormationOptions = { name: part.id, compatible: false, schema: 'ev44', rawEvery: 0, rawConsecutive: 0 }
  new Formation(part, files, options, () => undefined).end()
}
