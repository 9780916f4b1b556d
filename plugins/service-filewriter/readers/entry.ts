// The entry that Mantid reads.
import { broken, type RuleLook, met } from './rule.js'
import { type FileView } from './view.js'

const entries = ['/entry', '/raw_data_1']

/** Undefined where there is none. */
export const entryOf = (view: FileView): string | undefined =>
  entries.find((path) => view.isGroup(path) && view.classOf(path) === 'NXentry')

export function lookForEntry(view: FileView): RuleLook[] {
  const entry = entryOf(view)
  if (entry !== undefined) return [met(entry, 'is an NXentry')]
  const named = entries.find((path) => view.isGroup(path))
  if (named !== undefined) return [broken(named, `has the class '${view.classOf(named)}'`, 'set NX_class to NXentry')]
  const other = view.groups('/').find((path) => view.classOf(path) === 'NXentry')
  return [broken(other ?? '/', other === undefined ? 'no entry' : 'has another name', 'name it entry or raw_data_1')]
}
