// Templates: the static part of an instrument's files, as JSON like that of a command or as an HDF5 file.
import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { type ContentVisitor, visitContent } from '../file/content.js'
import { CodedError, type Finding } from '../../../core/api/plugin.js'
import { joinPath, planGroup, type PlanDataset, type PlanGroup } from './plan.js'

/** JSON text, or what an HDF5 file holds and what of it cannot be taken over. */
export type Template = string | { readonly root: PlanGroup; readonly findings: readonly Finding[] }

/** Names that can be no path. */
const plainName = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/
/** JSON goes before; `.hdf` is what the field's template maker makes. */
const endings = ['json', 'hdf', 'nxs', 'h5'] as const
/** Of the template's own file. */
const ownAttributes = ['HDF5_Version', 'h5py_version', 'file_name', 'file_time', 'creator', 'default']

/** INSTRUMENT/INSTRUMENT.json (or .hdf, .nxs, .h5) in the folder of templates; undefined when there is none. */
export function templateFile(folder: string | null, instrument: string): string | undefined {
  if (folder === null || !plainName.test(instrument)) return undefined
  return endings.map((ending) => join(folder, instrument, `${instrument}.${ending}`)).find((file) => existsSync(file))
}

/** The template as the check of a structure wants it; made anew for each check. Throws FILE_READ. */
export async function readTemplate(file: string): Promise<Template> {
  try {
    if (!isHdf5(file)) return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new CodedError('FILE_READ', `template ${file}: ${(cause as Error).message}`, { cause })
  }
  const builder = new Builder()
  await visitContent(file, builder)
  return builder
}

function isHdf5(file: string): boolean {
  const bytes = Buffer.alloc(8)
  const fd = openSync(file, 'r')
  try {
    readSync(fd, bytes, 0, 8, 0)
  } finally {
    closeSync(fd)
  }
  return bytes.equals(Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'))
}

class Builder implements ContentVisitor {
  readonly root = planGroup('', undefined, '/template')
  readonly findings: Finding[] = []

  group(path: string): void {
    if (path === '/') return
    const [parent, name] = this.#place(path)
    parent.groups.set(name, planGroup(name, parent, `/template${path}`))
  }

  dataset(path: string, { dtype, shape, value, unlimited }: Parameters<ContentVisitor['dataset']>[1]): void {
    const [parent, name] = this.#place(path)
    const content = Buffer.isBuffer(value) || shape.length > 0 ? value : (value[0] ?? '')
    const grows = unlimited && dtype !== 'string'
    const at = `/template${path}`
    parent.datasets.set(name, { name, dtype, shape, value: content, unlimited: grows, attributes: {}, at })
  }

  attribute(path: string, name: string, value: Parameters<ContentVisitor['attribute']>[2]): void {
    if (path === '/' && ownAttributes.includes(name)) return
    const group = path === '/' ? this.root : undefined
    const [parent, last] = this.#place(path)
    const dataset: PlanDataset | undefined = parent.datasets.get(last)
    if (dataset !== undefined)
      parent.datasets.set(last, { ...dataset, attributes: { ...dataset.attributes, [name]: value } })
    else (group ?? parent.groups.get(last))?.attributes.set(name, value)
  }

  link(path: string, kind: 'hard' | 'soft' | 'external', target: string): void {
    const [parent, name] = this.#place(path)
    const whole = kind !== 'soft' || target.startsWith('/') ? target : joinPath(parent.path, target)
    parent.links.set(name, { name, kind, target: whole, at: `/template${path}` })
  }

  refused(path: string, why: string): void {
    this.findings.push({ code: 'STRUCTURE_INVALID', path: `/template${path}`, message: why })
  }

  /** The group that something is in, and its name there. */
  #place(path: string): [PlanGroup, string] {
    const parts = path.split('/').filter((part) => part !== '')
    const name = parts.pop() ?? ''
    let group = this.root
    for (const part of parts) group = group.groups.get(part) ?? group
    return [group, name]
  }
}
