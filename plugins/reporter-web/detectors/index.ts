// Descriptions of detectors that the config names: read once, at start, from local files only.
import { CodedError } from '../../../core/api/plugin.js'
import { type WebOptions } from '../options.js'
import { readDaqlite } from './daqlite.js'
import { type DetectorGrid } from './description.js'
import { DescriptionFile } from './file.js'
import { readStructure } from './structure.js'

/** Throws CONFIG_INVALID, which names the option, the file and the key in it. */
export function detectorsOf(options: WebOptions['detectors']): DetectorGrid[] {
  const all: DetectorGrid[] = []
  for (const [i, { daqlite, structure, histogram }] of options.entries()) {
    const path = `/reporters/web/detectors/${i}`
    if ((daqlite === undefined) === (structure === undefined))
      throw new CodedError('CONFIG_INVALID', 'a detector needs a file: either daqlite or structure', { path })
    const found =
      daqlite === undefined
        ? readStructure(new DescriptionFile(structure!, 'nexus_structure', `${path}/structure`))
        : [readDaqlite(new DescriptionFile(daqlite, 'daqlite', `${path}/daqlite`))]
    for (const { grid, topic, sources } of found)
      all.push({ grid: { ...grid, id: all.length }, topic, sources, histogram })
  }
  return all
}
