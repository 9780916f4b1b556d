// The rules of the NeXus validator (nxvalidate) that hold for every file, whatever its definition.
import { broken, type RuleLook, met, type Rule } from './rule.js'
import { below, type FileView } from './view.js'

const from = 'nexusformat'

/** One look that all is well, or each place where it is not. */
const all = (looks: readonly RuleLook[], well: string): RuleLook[] => (looks.length > 0 ? [...looks] : [met('/', well)])

const classes = (view: FileView): RuleLook[] =>
  all(
    [...view.all()].flatMap((path) => {
      const kind = view.classOf(path)
      if (path === '/') return kind === '' || kind === 'NXroot' ? [] : [broken(path, `is '${kind}'`, 'set NXroot')]
      if (kind === '') return [broken(path, 'has no NX_class', 'set it, e.g. NXcollection')]
      return kind.startsWith('NX') ? [] : [broken(path, `has the class '${kind}'`, 'set a class of NeXus')]
    }),
    'every group has a class'
  )

const names = (view: FileView): RuleLook[] =>
  all(
    [...view.all()].flatMap((group) =>
      view
        .names(group)
        .filter((name) => !/^[a-zA-Z0-9_]([a-zA-Z0-9_.]*[a-zA-Z0-9_])?$/.test(name))
        .map((name) =>
          broken(below(group, name), 'has a name that is not one of NeXus', 'use letters, digits, _ and .')
        )
    ),
    'every name is one of NeXus'
  )

const links = (view: FileView): RuleLook[] =>
  all(
    [...view.all()].flatMap((group) =>
      view.loose(group).map((path) => broken(path, 'is a link to nothing', 'write its target, or leave the link out'))
    ),
    'every link leads somewhere'
  )

/** Of what can be plotted: `signal` and `axes` are in the group and fit. */
function plots(view: FileView): RuleLook[] {
  return [...view.all()].flatMap((group) => {
    const name = view.text(group, 'signal')
    if (name === undefined) return []
    const path = below(group, name)
    if (view.isGroup(path)) return [met(path, 'is a group')]
    const shape = view.form(path)?.shape
    return shape === undefined
      ? [broken(group, `signal is '${name}', which is not there`, 'name a dataset of the group')]
      : [met(path, `is the signal, [${shape.join(', ')}]`)]
  })
}

const times = (view: FileView): RuleLook[] =>
  view.groups('/').flatMap((entry) =>
    ['start_time', 'end_time'].flatMap((name) => {
      const path = below(entry, name)
      const text = view.text(path)
      if (text === undefined) return []
      return Number.isNaN(Date.parse(text)) ? [broken(path, `is '${text}'`, 'write it as ISO 8601')] : [met(path, text)]
    })
  )

const entries = (view: FileView): RuleLook[] => {
  const found = view.groups('/').filter((path) => view.classOf(path) === 'NXentry')
  return found.length > 0 ? found.map((path) => met(path, 'is an NXentry')) : [broken('/', 'no NXentry', 'make one')]
}

export const nxvalidateRules: readonly Rule[] = [
  { id: 'entry', from, level: 'must', says: 'a file has entries of class NXentry', look: entries },
  { id: 'classes', from, level: 'should', says: 'every group has a class of NeXus', look: classes },
  { id: 'names', from, level: 'should', says: 'names are letters, digits, _ and .', look: names },
  { id: 'links', from, level: 'must', says: 'links lead somewhere', look: links },
  { id: 'signal', from, level: 'must', says: 'the signal of a group is there', look: plots },
  { id: 'times', from, level: 'must', says: 'start_time and end_time are ISO 8601', look: times }
]
